#include "probe/config/sections.h"

#include <array>

#include "probe/config/exclusions.h"
#include "probe/config/network.h"
#include "probe/config/values.h"

namespace slosonde::config {
namespace {

constexpr std::array<Key, 10> kProbeKeys = {{
    {.name = "name",
     .help = "The probe's name, in metrics and pages. Default: the host's name.",
     .min = "1",
     .max = "253"},
    {.name = "region", .help = "The region the probe stands in.", .max = "253"},
    {.name = "zone", .help = "The availability zone the probe stands in.", .max = "253"},
    {.name = "key",
     .type = Type::secret,
     .help = "Signs the markers. Without one a random key is made at each start, and markers of before are foreign.",
     .min = "16",
     .max = "1024"},
    {.name = "grace",
     .type = Type::duration,
     .help = "How long runs in flight may go on after SIGTERM.",
     .fallback = "10s",
     .max = "1h"},
    {.name = "settle",
     .type = Type::duration,
     .help = "How long the first runs wait for their watches, and how long a stage stays open for sight to return.",
     .fallback = "10m",
     .max = "1d"},
    {.name = "max_lateness",
     .type = Type::duration,
     .help = "A run that would start later than this after its due time is not started: its slot is missed.",
     .fallback = "1s",
     .min = "1ms",
     .max = "1h"},
    {.name = "state",
     .type = Type::path,
     .help = "A file for what survives a restart: counts, alerts, runs in flight. Without one all begins with the "
             "process. Needs `key` and `name`."},
    {.name = "commit",
     .type = Type::duration,
     .help = "How often the state is committed: a kill -9 costs what came after the last time.",
     .fallback = "1s",
     .min = "50ms",
     .max = "1m"},
    {.name = "witness",
     .type = Type::texts,
     .help = "Addresses near the probe, as tcp://10.0.0.1:443 (the zone's gateway, say; better two), which are asked "
             "every second. While none of them answers, not even with a refusal, the network on our own side is "
             "down: what cannot be reached then is no failure of its own.",
     .min = "1",
     .max = "8"},
}};
constexpr Block kProbe{.name = "probe", .help = "Who this probe is.", .keys = kProbeKeys};

constexpr std::array<Key, 2> kListenKeys = {{
    {.name = "address",
     .type = Type::address,
     .help = "Metrics, status page and API: read only. A numeric address or localhost; port 0 takes a free one.",
     .fallback = "127.0.0.1:9465",
     .min = "0"},
    {.name = "web_config",
     .type = Type::path,
     .help =
         "TLS, client certificates and basic auth: a [web configuration](#the-web-configuration). Hooks that come in "
         "here show their own proof instead of a password."},
}};
constexpr Block kListen{.name = "listen", .help = "Where the probe answers questions.", .keys = kListenKeys};

constexpr std::array<Key, 4> kHooksKeys = {{
    {.name = "address",
     .type = Type::address,
     .help = "Where webhook watches listen. Default: on `listen`, while that is loopback.",
     .min = "0"},
    {.name = "token",
     .type = Type::secret,
     .help = "The bearer token that senders must bring. Off loopback this or `hmac_key` is demanded.",
     .max = "4096"},
    {.name = "hmac_key",
     .type = Type::secret,
     .help = "Senders sign the body with it: `X-Slosonde-Signature` or `X-Hub-Signature-256: sha256=<hex>`.",
     .max = "4096"},
    {.name = "external_url",
     .type = Type::url,
     .help = "How senders reach the hooks, where that is not the address. slosonde posts to `/-/hook-sight` below it "
             "about every 5 s, "
             "with the proof that `hooks` demands: once that has arrived here, what senders cannot deliver while it "
             "does not "
             "is `unseen`, never `lost`, and a loss is told up to 5 s later."},
}};
constexpr Block kHooks{.name = "hooks", .help = "Where webhook watches receive.", .keys = kHooksKeys};

constexpr std::array<Key, 2> kAdminKeys = {{
    {.name = "address", .type = Type::address, .help = "Where commands are taken. Default: nowhere.", .min = "0"},
    {.name = "token",
     .type = Type::secret,
     .help = "The bearer token that callers must bring. Demanded unless the address is loopback or a unix socket.",
     .max = "4096"},
}};
constexpr Block kAdmin{.name = "admin", .help = "Where the probe takes commands.", .keys = kAdminKeys};

constexpr std::array<std::string_view, 2> kLogFormats = {"logfmt", "json"};
constexpr std::array<Key, 1> kLogKeys = {{
    {.name = "format",
     .type = Type::choice,
     .help = "How log lines look.",
     .fallback = "logfmt",
     .choices = kLogFormats},
}};
constexpr Block kLog{.name = "log", .help = "What the probe writes to standard error.", .keys = kLogKeys};

constexpr std::array<std::string_view, 2> kPayloads = {"if_present", "required"};
constexpr std::array<Key, 6> kStageKeys = {{
    {.name = "name", .help = "Names the stage in metrics, SLOs and `from`; once in a transaction.", .required = true},
    {.name = "within",
     .type = Type::duration,
     .help = "The limit: how long after the run was due (or after `from` was seen) the stage must be done or seen.",
     .required = true,
     .min = "1ms",
     .max = "1d"},
    {.name = "from", .help = "An earlier stage: `within` counts from when that one was seen, not from due."},
    {.name = "payload",
     .type = Type::choice,
     .help = "Whether what is polled or watched must carry the run's payload, or is only checked where it does.",
     .fallback = "if_present",
     .choices = kPayloads},
    {.name = "poll",
     .type = Type::block,
     .help = "A check that is repeated until it holds and its answer contains the run's marker.",
     .block = [] { return &poll_block(); }},
    {.name = "watch",
     .type = Type::block,
     .help = "A place where the run's marker turns up by itself.",
     .block = [] { return &watch_block(); }},
}};
constexpr Block kStage{.name = "stage",
                       .help =
                           "One timed step of a transaction: exactly one of a check's kind (done once), `poll` "
                           "or `watch`.",
                       .keys = kStageKeys,
                       .kinds = KindKeys::checks};

constexpr std::array<Key, 2> kFinallyKeys = {{
    {.name = "name", .help = "Names the step; once in a transaction, stages included.", .required = true},
    {.name = "within",
     .type = Type::duration,
     .help = "The step's deadline, from its own start.",
     .fallback = "10s",
     .min = "1ms",
     .max = "1h"},
}};
constexpr Block kFinally{.name = "finally step",
                         .help =
                             "Cleans up what a run made: done after its last stage, whatever came of it, and "
                             "never judged. Exactly one check's kind.",
                         .keys = kFinallyKeys,
                         .kinds = KindKeys::checks};

constexpr std::array<Key, 2> kPollKeys = {{
    {.name = "every",
     .type = Type::duration,
     .help = "From one attempt's start to the next.",
     .fallback = "1s",
     .min = "1ms",
     .max = "1h"},
    {.name = "timeout",
     .type = Type::duration,
     .help = "The deadline of one attempt, from its start.",
     .fallback = "5s",
     .min = "1ms",
     .max = "1h"},
}};
constexpr Block kPoll{
    .name = "poll",
    .help =
        "Exactly one check's kind, repeated. An answer that does not hold, or does not show the marker, means not "
        "yet (404 and 409, too); a place that refuses or cannot be asked (401, 403, 407, 429, 5xx, no connection) "
        "has told nothing, and where that lasts to the limit the stage is `failed` and not `lost`.",
    .keys = kPollKeys,
    .kinds = KindKeys::checks};

constexpr std::array<std::string_view, 2> kPhases = {"firing", "resolved"};
constexpr std::array<std::string_view, 3> kExpectations = {"some", "exactly_one", "none"};
constexpr std::array<Key, 3> kWatchKeys = {{
    {.name = "phase",
     .type = Type::choice,
     .help = "Only evidence of this phase counts, where the format tells phases apart (Alertmanager's status). "
             "Default: any but resolved.",
     .choices = kPhases},
    {.name = "expect",
     .type = Type::choice,
     .help = "How often the marker must turn up within the limit: some (once or more), exactly_one (a second copy, at "
             "another storage position, is bad), none (it must not appear). The last two are decided at the limit.",
     .fallback = "some",
     .choices = kExpectations},
    {.name = "observer",
     .type = Type::boolean,
     .help = "A mirror that no user depends on: where it cannot be reached we see less, and nothing has failed.",
     .fallback = "false"},
}};
constexpr Block kWatch{
    .name = "watch", .help = "Exactly one watch's kind.", .keys = kWatchKeys, .kinds = KindKeys::watches};

constexpr std::array<Key, 7> kTransactionKeys = {{
    {.name = "name", .help = "Names the transaction in metrics and SLOs; once in the file.", .required = true},
    {.name = "every",
     .type = Type::duration,
     .help = "How often a run is due.",
     .required = true,
     .min = "1ms",
     .max = "1d"},
    {.name = "max_in_flight",
     .type = Type::integer,
     .help = "At most this many runs at a time; beyond it a slot is missed. Default: enough for the longest limit.",
     .min = "1",
     .max = "100000"},
    {.name = "linger",
     .type = Type::duration,
     .help = "How long after the last limit late evidence is still told from stale. Default: three times the longest "
             "limit, at most 1h.",
     .max = "1d"},
    {.name = "backoff",
     .type = Type::duration,
     .help =
         "While the target cannot be reached (three runs in a row refused, timed out, unresolved), runs start 2, "
         "4, 8, … intervals apart, at most this far; the first one that gets an answer ends that. Slots in "
         "between are missed: coverage falls, an outage counts fewer bad runs, and the tiers of an SLO may page much "
         "later than `validate` says, or only the alert on coverage does. Default: every slot is tried.",
     .max = "1d"},
    {.name = "stages",
     .type = Type::blocks,
     .help = "The steps, in order; the first one sends.",
     .required = true,
     .min = "1",
     .max = "32",
     .block = [] { return &kStage; }},
    {.name = "finally",
     .type = Type::blocks,
     .help = "Steps that clean up after every run.",
     .max = "16",
     .block = [] { return &kFinally; }},
}};
constexpr Block kTransaction{
    .name = "transaction", .help = "A journey through the pipeline, run on a schedule.", .keys = kTransactionKeys};

constexpr std::array<Key, 3> kSliKeys = {{
    {.name = "transaction", .help = "Which transaction is judged.", .required = true},
    {.name = "stage", .help = "Which of its stages is judged. Default: the whole run."},
    {.name = "faster_than",
     .type = Type::duration,
     .help = "Makes it a latency SLI: good is a stage seen within this time of due. Where an earlier stage failed "
             "to send, this one is `skipped` and no event here, unless this time is over before that is known (then it "
             "was not in "
             "time, and is bad): that outage is for an SLO without this key to tell.",
     .min = "1ms",
     .max = "1d"},
}};
constexpr Block kSli{.name = "sli", .help = "What counts as good.", .keys = kSliKeys};

constexpr std::array<Key, 7> kSloKeys = {{
    {.name = "name", .help = "Names the SLO in metrics and pages; once in the file.", .required = true},
    {.name = "objective",
     .type = Type::share,
     .help = "The share of events that must be good, over 0% and under 100%.",
     .required = true},
    {.name = "window",
     .type = Type::duration,
     .help = "The rolling period; the windows of the burn rate tiers scale with it.",
     .fallback = "30d",
     .min = "1h",
     .max = "90d"},
    {.name = "sli",
     .type = Type::block,
     .help = "What counts as good.",
     .required = true,
     .block = [] { return &kSli; }},
    {.name = "min_bad",
     .type = Type::integer,
     .help = "An alert tier fires only with at least this many bad events in its long window.",
     .fallback = "2",
     .min = "1",
     .max = "1000"},
    {.name = "labels", .type = Type::text_map, .help = "Further labels of its alerts.", .max = "16"},
    {.name = "annotations",
     .type = Type::text_map,
     .help = "Further annotations of its alerts, such as runbook_url.",
     .max = "16"},
}};
constexpr Block kSlo{.name = "slo", .help = "An objective for an indicator.", .keys = kSloKeys};

constexpr std::array<Key, 4> kWeeklyKeys = {{
    {.name = "days",
     .type = Type::texts,
     .help = "The days on which it begins: sun, mon, tue, wed, thu, fri, sat.",
     .required = true,
     .min = "1",
     .max = "7"},
    {.name = "from", .help = "When it begins, by local time: \"22:00\".", .required = true},
    {.name = "to",
     .help = "When it ends, by local time; where that is not later than `from`, on the next day.",
     .required = true},
    {.name = "time_zone", .help = "Whose local time, as Asia/Seoul or UTC.", .required = true},
}};
constexpr Block kWeekly{
    .name = "weekly",
    .help =
        "Every week, by the local time of a place. Clocks that are changed in between make it shorter or longer; a "
        "time that they show twice is the one that makes it longer.",
    .keys = kWeeklyKeys};

constexpr std::array<Key, 6> kExclusionKeys = {{
    {.name = "name",
     .help = "Names it in views; once in the file, and none that is declared to the running probe just now.",
     .required = true},
    {.name = "transactions",
     .type = Type::texts,
     .help = "Which transactions it covers. Default: all.",
     .min = "1",
     .max = "1000"},
    {.name = "start", .help = "When it begins, with its offset from UTC: 2026-11-22T01:00:00+09:00."},
    {.name = "end", .help = "When it ends, likewise; at most 31d later."},
    {.name = "for",
     .type = Type::duration,
     .help = "How long it lasts, in place of `end`.",
     .min = "1s",
     .max = kLongestExclusionText},
    {.name = "weekly",
     .type = Type::block,
     .help = "When it is every week, in place of `start`.",
     .block = [] { return &kWeekly; }},
}};
constexpr Block kExclusion{
    .name = "exclusion",
    .help =
        "A declared maintenance window, by the wall clock. Runs go on and are shown, but one whose time from due to "
        "its latest limit touches the window (a limit with `from` counts from the other stage's own limit) counts in "
        "no SLI and not in coverage, whatever came of it and whenever; what it would have been is kept apart.",
    .keys = kExclusionKeys};

constexpr std::array<Key, 8> kRootKeys = {{
    {.name = "probe",
     .type = Type::block,
     .help = "Who this probe is.",
     .fallback = "{}",
     .block = [] { return &kProbe; }},
    {.name = "listen",
     .type = Type::block,
     .help = "Where the probe answers questions.",
     .fallback = "{}",
     .block = [] { return &kListen; }},
    {.name = "hooks",
     .type = Type::block,
     .help = "Where webhook watches receive.",
     .fallback = "{}",
     .block = [] { return &kHooks; }},
    {.name = "admin",
     .type = Type::block,
     .help = "Where the probe takes commands.",
     .fallback = "{}",
     .block = [] { return &kAdmin; }},
    {.name = "log",
     .type = Type::block,
     .help = "What the probe writes to standard error.",
     .fallback = "{}",
     .block = [] { return &kLog; }},
    {.name = "transactions",
     .type = Type::blocks,
     .help = "The journeys to be run.",
     .required = true,
     .min = "1",
     .max = "1000",
     .block = [] { return &kTransaction; }},
    {.name = "slos", .type = Type::blocks, .help = "The objectives.", .max = "1000", .block = [] { return &kSlo; }},
    {.name = "exclusions",
     .type = Type::blocks,
     .help = "Declared maintenance windows.",
     .max = "100",
     .block = [] { return &kExclusion; }},
}};
constexpr Block kRoot{.name = "configuration", .help = "The whole file.", .keys = kRootKeys};

}  // namespace

const Block& root_block() {
  return kRoot;
}
const Block& stage_block() {
  return kStage;
}
const Block& finally_block() {
  return kFinally;
}
const Block& poll_block() {
  return kPoll;
}
const Block& watch_block() {
  return kWatch;
}

}  // namespace slosonde::config
