// The seam between webhook watches and the web server: watches register paths, the server implements the registry.
//
// What a listener can vouch for. Silence proves something only if whatever a sender sent has been handed over, so the
// listener says afterwards up to when that is so (HookSight). The reasoning, step by step:
//   - A request has arrived once its last byte is in the kernel. Until then it is its sender's: one that is half read,
//   or
//     not yet sent, is in nobody's past.
//   - Asking the engine's inbox alone proves nothing about what the web thread has not read. So a question goes to the
//     web thread, is answered there, and the answer goes through the inbox, behind everything handed over before.
//   - The web thread answers between two turns, when it has run everything that was ready and asked the kernel once
//   more
//     and found nothing: every connection waiting to be accepted has been, everything received has been read, and what
//     was whole has been handed over. It vouches for the time up to the *start* of that turn, because what comes in
//     while it turns may or may not have been seen. A web thread that is stuck answers late and so vouches for nothing
//     meanwhile.
//   - What a sender pipelined behind an answer that it does not read is its own matter.
//   - Some of what arrives we do not take, and the fault may be ours or the sender's. Ours, and a break of the sight:
//     no descriptor to accept with; a connection cut because there are too many, unless nothing was under way on it; a
//     body refused because all bodies together are too large; a full inbox; a listener that stood still for so long
//     that senders may have given up; a mistake of ours (an answer of 500). The sender's, and no break: no or a wrong
//     proof (401, 403), a path nobody listens on (404), no HTTP (400), a body larger than one may be (413), a request
//     that is not whole in time although we were reading (408): each was told so, and would be told so again.
//   - Where the listener is reached from outside by another address, and that way has been seen to work, nothing is
//     vouched for after it was last seen to (exporter/web/way_in.h).
//   - A break needs no length: whoever sent what was turned away at that instant speaks of a run that was due before it
//     and (if it can still be in time) has its limit after it, and neither is covered across a break.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/error.h"
#include "probe/base/result.h"
#include "probe/base/time.h"

namespace slosonde::io {

using HookHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

struct HookRequest {
  std::string path;
  HookHeaders headers;
  std::string body;
  Instant received{};    // when its last byte had been read
  Instant not_before{};  // its last byte had not arrived before: earlier than `received` where the reader was held up
};

// Every request that had arrived within [from, until] has been handed over, but for those refused through their own
// fault.
struct HookSight {
  Instant from{}, until{};  // nothing is vouched for when `until` is not after `from`
  Error broken;             // what broke the sight last, at or before `from`; none: nothing yet
};

// Unregisters at its end. Engine thread.
class HookRegistration {
 public:
  virtual ~HookRegistration() = default;

  // What can be vouched for by now? `tell` is called on the engine thread, after everything that it vouches for was
  // handed over. Not at all when the inbox is full or the listener gone: ask again; a new question replaces the old
  // one.
  virtual void ask(std::function<void(const HookSight&)> tell) = 0;
};

class HookRegistry {
 public:
  virtual ~HookRegistry() = default;

  // Runs on the web thread; no error means the caller may speak. Must not touch anything of the engine's.
  using Authorise = std::function<Result<void>(const HookRequest&)>;
  // Runs on the engine thread, soon after the caller got its 202.
  using Handler = std::function<void(HookRequest)>;

  // Any POST or PUT to `path` goes to the handler. An empty `authorise` takes the listener's own token and HMAC rule
  // alone. `denied` when the path is taken. Engine thread.
  virtual Result<std::unique_ptr<HookRegistration>> listen(std::string path, Authorise authorise, Handler handler) = 0;

  // Whether the listener accepts connections: since when without a break; nothing while it does not. Any thread.
  virtual std::optional<Instant> listening_since() const = 0;

  // Where senders reach the registry ("http://127.0.0.1:9466"), for messages. Any thread.
  virtual std::string url() const = 0;
};

}  // namespace slosonde::io
