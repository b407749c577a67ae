// Kafka: a message produced and acknowledged (check), or a topic in which evidence turns up (watch).
#pragma once

#include <memory>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

const config::Block& kafka_check_block();
const config::Block& kafka_watch_block();
Result<std::unique_ptr<Check>> make_kafka_check(const config::Values& settings, io::Io& io);
Result<std::unique_ptr<Watch>> make_kafka_watch(const config::Values& settings, io::Io& io);

}  // namespace slosonde::checks
