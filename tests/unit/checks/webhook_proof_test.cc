#include "checks/webhook_proof.h"

#include <gtest/gtest.h>

namespace slosonde::checks {
namespace {

io::HookRequest request(std::string header, std::string value, std::string body = "what do ya want for nothing?") {
  io::HookRequest made;
  made.path = "/hooks/x";
  made.headers.emplace_back(std::move(header), std::move(value));
  made.body = std::move(body);
  return made;
}

// RFC 4231, test case 2: key "Jefe".
constexpr const char* kSignature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
constexpr const char* kSigned = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
constexpr const char* kUnsigned = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844";

TEST(WebhookProof, NoneIsDemandedWithoutSecrets) {
  const HookProof proof({}, {});
  EXPECT_FALSE(proof.demanded());
  EXPECT_TRUE(proof.check(request("x", "y")));
}

TEST(WebhookProof, AToken) {
  const HookProof proof(Secret("swordfish"), {});
  EXPECT_TRUE(proof.check(request("authorization", "Bearer swordfish")));
  EXPECT_TRUE(proof.check(request("authorization", "bearer swordfish")));
  for (const char* wrong : {"Bearer swordfis", "Bearer swordfishh", "Bearer ", "Basic swordfish", "swordfish", ""})
    EXPECT_FALSE(proof.check(request("authorization", wrong))) << wrong;
  const auto refused = proof.check(request("x-token", "swordfish"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unauthorised);
  EXPECT_EQ(
      refused.error().text,
      "The webhook /hooks/x asks for the bearer token of `token` (Authorization: Bearer …), and this request's is "
      "missing or wrong.");
}

TEST(WebhookProof, ASignatureAsRfc4231HasIt) {
  const HookProof proof({}, Secret("Jefe"));
  for (const char* header : {"x-slosonde-signature", "x-hub-signature-256"}) {
    EXPECT_TRUE(proof.check(request(header, kSigned)));
    EXPECT_FALSE(proof.check(request(header, kSigned, "what do ya want for nothing!")));
    EXPECT_FALSE(proof.check(request(header, kSignature)));
    EXPECT_FALSE(proof.check(request(header, "sha1=0000")));
    EXPECT_FALSE(proof.check(request(header, "sha256=")));
    EXPECT_FALSE(proof.check(request(header, kUnsigned)));
  }
  EXPECT_FALSE(proof.check(request("authorization", "Bearer Jefe")));
}

TEST(WebhookProof, WithBothEitherSuffices) {
  const HookProof proof(Secret("swordfish"), Secret("Jefe"));
  EXPECT_TRUE(proof.check(request("authorization", "Bearer swordfish")));
  EXPECT_TRUE(proof.check(request("x-slosonde-signature", kSigned)));
  EXPECT_FALSE(proof.check(request("authorization", "Bearer Jefe")));
}

}  // namespace
}  // namespace slosonde::checks
