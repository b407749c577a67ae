#include "probe/io/hook_proof.h"

#include <gtest/gtest.h>

namespace slosonde::io {
namespace {

constexpr const char* kBody = "what do ya want for nothing?";
// RFC 4231, test case 2: key "Jefe".
constexpr const char* kSignature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
constexpr const char* kSigned = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
constexpr const char* kUnsigned = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844";
constexpr const char* kLoud = "SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843";

bool holds(const HookProof& proof, std::string header, std::string value, std::string_view body = kBody) {
  return proof.holds({{std::move(header), std::move(value)}}, body);
}

TEST(HookProof, NoneIsDemandedWithoutSecrets) {
  const HookProof proof({}, {});
  EXPECT_FALSE(proof.demanded());
  EXPECT_TRUE(holds(proof, "x", "y"));
  EXPECT_FALSE(bears_token({{"authorization", "Bearer "}}, Secret())) << "an empty token is nobody's";
}

TEST(HookProof, AToken) {
  const HookProof proof(Secret("swordfish"), {});
  EXPECT_TRUE(proof.by_headers_alone());
  EXPECT_TRUE(holds(proof, "authorization", "Bearer swordfish"));
  EXPECT_TRUE(holds(proof, "authorization", "bearer swordfish"));
  for (const char* wrong : {"Bearer swordfis", "Bearer swordfishh", "Bearer ", "Basic swordfish", "swordfish", ""})
    EXPECT_FALSE(holds(proof, "authorization", wrong)) << wrong;
  EXPECT_FALSE(holds(proof, "x-token", "swordfish"));
  EXPECT_FALSE(proof.holds({}, kBody));
  EXPECT_EQ(proof.ways(), "a bearer token (Authorization: Bearer …)");
}

TEST(HookProof, ASignatureAsRfc4231HasIt) {
  const HookProof proof({}, Secret("Jefe"));
  EXPECT_FALSE(proof.by_headers_alone());
  for (const char* header : {"x-slosonde-signature", "x-hub-signature-256"}) {
    EXPECT_TRUE(holds(proof, header, kSigned));
    EXPECT_FALSE(holds(proof, header, kSigned, "what do ya want for nothing!"));
    for (const char* wrong : {kSignature, kUnsigned, kLoud, "sha1=0000", "sha256=", ""})
      EXPECT_FALSE(holds(proof, header, wrong)) << wrong;
  }
  EXPECT_TRUE(
      holds(proof, "x-slosonde-signature", "sha256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"));
  EXPECT_FALSE(holds(proof, "authorization", "Bearer Jefe"));
}

TEST(HookProof, WithBothEitherSuffices) {
  const HookProof proof(Secret("swordfish"), Secret("Jefe"));
  EXPECT_FALSE(proof.by_headers_alone());
  EXPECT_TRUE(holds(proof, "authorization", "Bearer swordfish"));
  EXPECT_TRUE(holds(proof, "x-slosonde-signature", kSigned));
  EXPECT_FALSE(holds(proof, "authorization", "Bearer Jefe"));
  EXPECT_EQ(proof.ways(),
            "a bearer token (Authorization: Bearer …) or a signature of the body (X-Slosonde-Signature: sha256=…)");
}

TEST(HookProof, ShowsWhatItDemands) {
  EXPECT_TRUE(HookProof({}, {}).shown_for(kBody).empty());
  const HookHeaders token = {{"authorization", "Bearer swordfish"}}, signature = {{"x-slosonde-signature", kSigned}};
  EXPECT_EQ(HookProof(Secret("swordfish"), {}).shown_for(kBody), token);
  EXPECT_EQ(HookProof({}, Secret("Jefe")).shown_for(kBody), signature);
  EXPECT_EQ(HookProof(Secret("swordfish"), Secret("Jefe")).shown_for(kBody).size(), 2U) << "a proxy may want either";
}

}  // namespace
}  // namespace slosonde::io
