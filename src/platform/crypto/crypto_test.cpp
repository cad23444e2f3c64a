#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <chrono>
#include <thread>

#include "platform/crypto/aead.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/siphash.h"
#include "platform/crypto/text.h"

namespace causeway::crypto {
namespace {

std::string hex(const Digest& digest) { return to_hex(view(digest)); }
std::string unhex(std::string_view text) { return from_hex(text).value(); }

TEST(Sha256, KnownAnswers) {  // FIPS 180-2 appendix B
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hmac, KnownAnswersAgainAndAgain) {  // RFC 4231, cases 1, 2 and 6
  const Hmac one(std::string(20, '\x0b'));
  const Hmac two("Jefe");
  const Hmac six(std::string(131, '\xaa'));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(hex(one("Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(two("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(six("Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  }
}

TEST(Hmac, EmptyKeyAndCopies) {
  const Hmac empty("");
  EXPECT_EQ(hex(empty("")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  const Hmac copy = empty;
  EXPECT_EQ(copy("x"), empty("x"));
  Digest elsewhere{};
  std::thread([&elsewhere, mine = Hmac(empty)] { elsewhere = mine("x"); }).join();
  EXPECT_EQ(elsewhere, empty("x"));
}

TEST(SipHash, AnswersOfThePaperAndOfOpenSsl) {
  const SipHash paper({0x0706050403020100, 0x0f0e0d0c0b0a0908});
  const auto text = [](const SipTag& tag) {
    return to_hex(std::string_view(reinterpret_cast<const char*>(tag.data()), sizeof tag));
  };
  EXPECT_EQ(text(paper("")), "a3817f04ba25a8e66df67214c7550293");
  const auto* key = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string bytes(length, static_cast<char>('a' + length % 26));
    std::array<unsigned char, 16> expected;
    std::size_t size = 0;
    ASSERT_NE(EVP_Q_mac(nullptr, "SIPHASH", nullptr, nullptr, nullptr, key, 16,
                        reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                        expected.data(), expected.size(), &size),
              nullptr);
    EXPECT_EQ(text(paper(bytes)),
              to_hex(std::string_view(reinterpret_cast<const char*>(expected.data()), size)));
  }
  EXPECT_NE(SipHash()("x"), SipHash()("x"));
}

TEST(Hkdf, KnownAnswer) {  // RFC 5869, A.1 and A.3
  EXPECT_EQ(to_hex(hkdf(std::string(22, '\x0b'), unhex("000102030405060708090a0b0c"),
                        unhex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(to_hex(hkdf(std::string(22, '\x0b'), "", "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Text, RoundTripsAndRefusals) {
  std::string all;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(from_hex(to_hex(all)), all);
    EXPECT_EQ(from_base64url(to_base64url(all)), all);
    all += static_cast<char>(length * 37 + 200);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(to_base32("foobar"), "mzxw6ytboi");
  EXPECT_EQ(to_base62(std::string(32, '\xff')).size(), 43u);
  EXPECT_EQ(to_base62(std::string(32, '\0')), std::string(43, '0'));
  EXPECT_EQ(to_base62("\x3e"), "10");
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
  EXPECT_FALSE(from_base64url("a"));
  EXPECT_FALSE(from_base64url("ab=="));
  EXPECT_FALSE(from_base64url("ab+/"));
  EXPECT_FALSE(from_base64url("ab"));  // its last bits are not zero
}

TEST(Aead, OpensWhatWasSealedAndNothingElse) {
  const Secret key(random_bytes(32));
  for (std::size_t size : {0u, 1u, 16u, 2000u}) {
    const std::string plain(size, 'x');
    std::string sealed = aead_seal(key, "table/7", plain);
    EXPECT_EQ(sealed.size(), size + kAeadOverhead);
    EXPECT_EQ(aead_open(key, "table/7", sealed).value(), plain);
    EXPECT_FALSE(aead_open(key, "table/8", sealed));
    EXPECT_FALSE(aead_open(Secret(random_bytes(32)), "table/7", sealed));
    for (std::size_t i = 0; i < sealed.size(); i += 1 + sealed.size() / 40) {
      sealed[i] ^= 1;
      auto opened = aead_open(key, "table/7", sealed);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, "unreadable");
      sealed[i] ^= 1;
    }
    EXPECT_FALSE(aead_open(key, "table/7", std::string_view(sealed).substr(1)));
  }
  EXPECT_FALSE(aead_open(key, "", "short"));
  EXPECT_NE(aead_seal(key, "", "same"), aead_seal(key, "", "same"));
}

TEST(Aead, KnownAnswer) {  // McGrew and Viega's GCM test case 15, AES-256, without additional data
  const Secret key(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const std::string plain = unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b525b16aedf5aa0de657ba637b391aafd255");
  const std::string sealed =
      unhex("cafebabefacedbaddecaf888") +
      unhex(
          "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b"
          "1056828838c5f61e6393ba7a0abcc9f662898015ad") +
      unhex("b094dac5d93471bdec1a502270e3cc6c");
  EXPECT_EQ(aead_open(key, "", sealed).value(), plain);
}

TEST(Cost, IsPrintedForTheCurious) {
  const Hmac hmac("pepper");
  const Secret key(random_bytes(32));
  const std::string text(2048, 'x');
  const auto time = [](const char* what, auto&& act) {
    constexpr int kTimes = 20000;
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimes; ++i) act();
    const auto took = std::chrono::steady_clock::now() - before;
    std::printf("%s: %.0f ns\n", what,
                std::chrono::duration<double, std::nano>(took).count() / kTimes);
  };
  time("hmac of a key",
       [&] { hmac("cw-abcdefghijkl-0123456789012345678901234567890123456789012"); });
  time("sha256 of a key",
       [&] { sha256("cw-abcdefghijkl-01234567890123456789012345678901234567890"); });
  time("seal 2 KiB", [&] { aead_seal(key, "aad", text); });
}

}  // namespace
}  // namespace causeway::crypto
