#include "probe/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace slosonde {
namespace {

TEST(Error, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kErrorCodes; ++i) names.insert(name(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kErrorCodes));
  EXPECT_EQ(names.count(""), 0U);
  EXPECT_EQ(name(ErrorCode::internal), "internal");
  EXPECT_EQ(name(ErrorCode::no_descriptors), "no_descriptors");
}

TEST(Error, OutOfDescriptorsIsOurOwnFaultAndARefusedConnectionIsNot) {
  EXPECT_TRUE(is_own_fault(error_from_errno(EMFILE, "socket").code));
  EXPECT_FALSE(is_own_fault(error_from_errno(ECONNREFUSED, "connect").code));
  EXPECT_EQ(error_from_errno(EACCES, "open /etc/slosonde/key").text, "open /etc/slosonde/key: Permission denied");
}

}  // namespace
}  // namespace slosonde
