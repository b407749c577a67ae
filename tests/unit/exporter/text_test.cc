#include "exporter/text.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <cmath>
#include <limits>

#include "exporter/families.h"
#include "exporter/gzip.h"

namespace slosonde::exporter {
namespace {

std::string number(double value) {
  std::string out;
  append_number(value, out);
  return out;
}

TEST(Text, WritesNumbersShortAndExact) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(100000), "100000");
  EXPECT_EQ(number(0.999), "0.999");
  EXPECT_EQ(number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number(1769851800.25), "1769851800.25");
  EXPECT_EQ(number(-3), "-3");
  EXPECT_EQ(number(1e300), "1e+300");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(Text, EscapesHelpAndLabelValues) {
  Families families;
  gauge(families, "g", "back\\slash, new\nline, \"quotes\" stay").add({{"name", "a\"b\\c\nd"}}, 1.0);
  std::string out;
  write_text(families, out);
  EXPECT_EQ(out,
            "# HELP g back\\\\slash, new\\nline, \"quotes\" stay\n"
            "# TYPE g gauge\n"
            "g{name=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(Text, HistogramIsCumulativeWithOneInfinityBucket) {
  engine::Histogram histogram_value;
  histogram_value.edges = std::make_shared<const std::vector<double>>(std::vector<double>{0.5, 2});
  histogram_value.counts = {3, 1, 2};
  histogram_value.sum = 1.75;
  Families families;
  histogram(families, "h_seconds", "H.").add({{"stage", "a"}}, histogram_value);
  std::string out;
  write_text(families, out);
  EXPECT_EQ(out,
            "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{stage=\"a\",le=\"0.5\"} 3\n"
            "h_seconds_bucket{stage=\"a\",le=\"2\"} 4\n"
            "h_seconds_bucket{stage=\"a\",le=\"+Inf\"} 6\n"
            "h_seconds_sum{stage=\"a\"} 1.75\n"
            "h_seconds_count{stage=\"a\"} 6\n");
}

TEST(Text, LeavesOutWhatIsNotANumberAndFamiliesWithoutSamples) {
  Families families;
  gauge(families, "nothing", "No samples.");
  Family some = gauge(families, "some", "One of two.");
  some.add({{"a", "1"}}, std::nan(""));
  some.add({{"a", "2"}}, 2.0);
  some.add({{"a", "3"}}, std::optional<double>());
  std::string out;
  write_text(families, out);
  EXPECT_EQ(out, "# HELP some One of two.\n# TYPE some gauge\nsome{a=\"2\"} 2\n");
}

TEST(Text, AppendsToABufferThatIsReused) {
  Families families;
  gauge(families, "g", "G.").add({}, 1.0);
  std::string out;
  write_text(families, out);
  const std::string first = out;
  out.clear();
  write_text(families, out);
  EXPECT_EQ(out, first);
}

TEST(Gzip, IsReadBackByZlib) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "slosonde_runs_total{transaction=\"a\"} " + std::to_string(i) + "\n";
  const auto packed = gzip(text);
  ASSERT_TRUE(packed);
  EXPECT_LT(packed->size() * 5, text.size());
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string back(text.size() + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed->data()));
  stream.avail_in = static_cast<uInt>(packed->size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  back.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_TRUE(back == text);
}

}  // namespace
}  // namespace slosonde::exporter
