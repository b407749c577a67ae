// A listener's TLS over time: its files may be replaced while it runs.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "exporter/web/tls_context.h"
#include "exporter/web/tls_session.h"
#include "exporter/web/trouble.h"
#include "probe/base/time.h"

namespace slosonde::exporter {

// Web thread.
class TlsAcceptor {
 public:
  // bad_config, with the place in the web configuration, when its files cannot be used. `name`: that file's.
  static Result<std::unique_ptr<TlsAcceptor>> open(const config::TlsServer& tls, const std::string& name,
                                                   std::function<Instant()> now, Warn warn);

  // For a caller that has just been accepted; nullptr for want of memory. Files that have changed are read again, at
  // most every second; where they cannot be used the old ones go on, with a line for the log.
  std::unique_ptr<TlsSession> session(int descriptor);

 private:
  // Tells one file of a path from another; zeroes where there is none.
  struct Stamp {
    uint64_t inode = 0, size = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::array<Stamp, 3>;

  TlsAcceptor(config::TlsServer tls, std::string name, std::function<Instant()> now, Warn warn);
  Result<void> read();
  Stamps stamps() const;
  void look_again();

  const config::TlsServer tls_;
  const std::string name_;
  const std::function<Instant()> now_;
  const Warn warn_;
  TlsContext context_;
  Stamps read_;  // of what was read last, well or not
  Instant looked_{};
};

}  // namespace slosonde::exporter
