#include "exporter/gzip.h"

#include <zlib.h>

namespace slosonde::exporter {

std::optional<std::string> gzip(std::string_view text) {
  constexpr int kWindowBitsGzip = 15 + 16;  // 16: a gzip header instead of zlib's
  z_stream stream{};
  // Metrics repeat themselves so much that the fastest level already leaves a tenth.
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindowBitsGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int ended = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return {};
  return packed;
}

}  // namespace slosonde::exporter
