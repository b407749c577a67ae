#include "probe/io/arrival.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace slosonde::io {

namespace {

constexpr Duration kTick = std::chrono::milliseconds(4);

}  // namespace

Duration since_last_arrival(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Duration(0);
  return std::chrono::milliseconds(info.tcpi_last_data_recv) + kTick;
}

}  // namespace slosonde::io
