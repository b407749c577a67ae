#include "probe/base/secret.h"

#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

namespace slosonde {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBePrintedOrConverted) {
  static_assert(Printable<std::string>);
  static_assert(!Printable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
  EXPECT_EQ(Secret("token").reveal(), "token");
}

TEST(Secret, ComparesWhole) {
  const Secret secret("token");
  EXPECT_TRUE(secret.equals("token"));
  EXPECT_FALSE(secret.equals("tokem"));
  EXPECT_FALSE(secret.equals("toke"));
  EXPECT_FALSE(secret.equals("tokens"));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Secret, AMovedFromSecretIsEmpty) {
  Secret first("a secret longer than the small-string buffer of the library");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_FALSE(second.empty());
}

}  // namespace
}  // namespace slosonde
