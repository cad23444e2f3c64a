#include "features/privacy/pii/treat.h"

#include <gtest/gtest.h>

#include <regex>

#include "features/privacy/pii/pseudonyms.h"

namespace causeway::pii {
namespace {

// A request whose texts are the strings in the member "t".
class TreatTest : public ::testing::Test {
 protected:
  std::vector<std::string> treated(const std::vector<std::string>& texts,
                                   TextKind kind = TextKind::Content) {
    body_ = "{\"t\":[";
    RequestIndex index;
    for (const std::string& text : texts) {
      const std::string json = encode_json_string(text);
      const auto begin = static_cast<std::uint32_t>(body_.size());
      index.texts.push_back(
          {{Role::User, kind, 0, 0}, {begin, begin + static_cast<std::uint32_t>(json.size())}});
      body_ += json + ",";
    }
    body_ += "0]}";
    index.body = body_;
    Request request(index);
    auto handles = request.texts();
    const auto treatment = make_treatment(settings_);
    EXPECT_TRUE(treatment) << treatment.error().message;
    const auto found = find_all(**treatment, index, handles, ins_);
    for (auto& [place, text] : rewrite_all(**treatment, handles, found, "secret", ins_)) {
      handles[place].set(text);
    }
    std::vector<std::string> out;
    for (const Text& text : handles) out.emplace_back(text.get());
    return out;
  }
  std::string alone(const std::string& text) { return treated({text}).front(); }

  Settings settings_;
  StandIns ins_;
  std::string body_;
};

TEST_F(TreatTest, MasksEverywhereTheSame) {
  EXPECT_EQ(treated({"I am at jane@example.com", "jane@example.com and joe@example.com"}),
            (std::vector<std::string>{"I am at [EMAIL]", "[EMAIL] and [EMAIL_2]"}));
}

TEST_F(TreatTest, ANameFoundOnceIsFoundAgain) {
  const auto out = treated({"My name is Xanthippe Quillfeather.",
                            "Xanthippe Quillfeather wants it; Xanthippe Quillfeathers not."});
  EXPECT_EQ(out[0], "My name is [PERSON].");
  EXPECT_EQ(out[1], "[PERSON] wants it; Xanthippe Quillfeathers not.");
}

TEST_F(TreatTest, TheSurnameAloneIsThePersonToo) {
  const auto out =
      treated({"Mrs. Ada Lovelace said so. Lovelace was late.", "Ask Lovelace's aide."});
  EXPECT_EQ(out[0], "Mrs. [PERSON] said so. [PERSON_2] was late.");
  EXPECT_EQ(out[1], "Ask [PERSON_2]'s aide.");
}

TEST_F(TreatTest, OwnWordsMayBreakTheirLine) {
  settings_.words.add("project").push_back("Night Heron");
  EXPECT_EQ(alone("On Night\nHeron, night  heron"), "On [PROJECT], [PROJECT_2]");
}

TEST_F(TreatTest, WhatIsOffIsNothingElseEither) {
  settings_.kinds.add("ip") = Action::Off;
  EXPECT_EQ(alone("My IP address is 203.0.113.7. My phone is new."),
            "My IP address is 203.0.113.7. My phone is new.");
}

TEST_F(TreatTest, StandInsAreNotMaskedAgain) {
  const std::string once = alone("Write to jane@example.com, Mr John Smith.");
  EXPECT_EQ(once, "Write to [EMAIL], Mr [PERSON].");
  EXPECT_EQ(alone(once), once);
  EXPECT_EQ(alone("[EMAIL_7] and [PERSON] and bob@example.com"),
            "[EMAIL_7] and [PERSON] and [EMAIL_2]");
}

TEST_F(TreatTest, BracketsHideNothing) {
  EXPECT_EQ(alone("[John Smith](x) and [SSN: 078-05-1121 A]"),
            "[[PERSON]](x) and [SSN: [NATIONAL_ID] A]");
  EXPECT_EQ(alone("Call [PHONE_4915112345678]").find("4915112345678"), std::string::npos);
}

TEST_F(TreatTest, ProseThatBeginsAsJsonIsProse) {
  for (const std::string begin : {"{ ", "{{user}} said: ", "[1] ", "```\n{ "}) {
    const std::string out = alone(begin + "I live at 12 Oak Street, Springfield, IL 62704.");
    EXPECT_EQ(out.find("Oak Street"), out.npos) << out;
    EXPECT_EQ(out.find("Springfield"), out.npos) << out;
  }
}

TEST_F(TreatTest, AFileOfWordsIsRead) {
  EXPECT_EQ(treated({"data: jane@example.com"}, TextKind::File).front(), "data: [EMAIL]");
  EXPECT_EQ(treated({"name;mail\njane;jane@example.com"}, TextKind::File).front(),
            "name;mail\njane;[EMAIL]");
}

TEST_F(TreatTest, AClashIsAvoided) {
  EXPECT_EQ(alone("[EMAIL] stays, a@example.com goes"), "[EMAIL] stays, [EMAIL_2] goes");
}

TEST_F(TreatTest, JsonTextStaysJson) {
  EXPECT_EQ(
      alone(R"({"email":"jane\u0040example.com","card":4111111111111111,"n":[-1.5e+3,true]})"),
      R"({"email":"[EMAIL]","card":"[CARD]","n":[-1.5e+3,true]})");
  EXPECT_EQ(alone(R"({"patient_name": "Xanthippe Quillfeather", "fullName":"Zeb Krantzel"})"),
            R"({"patient_name": "[PERSON]", "fullName":"[PERSON_2]"})");
  // An address over two members, each by itself.
  const std::string out =
      alone(R"({"street":"12 Oak Street","city":"Springfield, IL 62704","ok":true})");
  EXPECT_TRUE(std::regex_match(out, std::regex(R"(\{"street":".*","city":".*","ok":true\})")))
      << out;
  EXPECT_EQ(out.find("12 Oak"), out.npos) << out;
  EXPECT_EQ(alone(R"({"bad": "a\q jane@example.com)"), R"({"bad": "a\q [EMAIL])");
}

TEST_F(TreatTest, NamesHaveNoBrackets) {
  EXPECT_EQ(treated({"jane@example.com"}, TextKind::UserId).front(), "EMAIL");
}

TEST_F(TreatTest, ActionsByKind) {
  settings_.kinds.add("card") = Action::Report;
  settings_.kinds.add("email") = Action::Hash;
  settings_.names.add("email") = "MAIL";
  settings_.words.add("project").push_back("Bluebird");
  const std::string out = alone("4111111111111111 jane@example.com on bluebird");
  EXPECT_TRUE(
      std::regex_match(out, std::regex(R"(4111111111111111 \[MAIL:[0-9a-f]{16}\] on \[PROJECT\])")))
      << out;
  EXPECT_EQ(alone("jane@example.com"), out.substr(17, 23));
}

TEST_F(TreatTest, PseudonymsKeepTheirShape) {
  settings_.action = Action::Pseudonym;
  const std::string text = "Pay 4111 1111 1111 1111 from DE89 3704 0044 0532 0130 00, jane@acme.io";
  const std::string out = alone(text);
  EXPECT_TRUE(std::regex_match(out, std::regex("Pay 4\\d{3} \\d{4} \\d{4} \\d{4} from "
                                               "DE\\d\\d \\d{4} \\d{4} \\d{4} \\d{4} \\d\\d, "
                                               "[a-z]+\\.[a-z]+\\d\\d@example\\.(com|org|net)")))
      << out;
  EXPECT_EQ(alone(text), out);
  // They are good numbers of their kind: the detector finds them.
  settings_.action = Action::Mask;
  EXPECT_EQ(alone(out), "Pay [CARD] from [IBAN], [EMAIL]");
}

TEST(Pseudonyms, StandOnOneLine) {
  const auto address =
      pseudonym_of(Kind::Address, "221 Baker Street\nSpringfield, IL 62704", "s", 0);
  EXPECT_EQ(address.find('\n'), address.npos) << address;
  const auto coin =
      pseudonym_of(Kind::CryptoAddress, "0x52908400098527886E0F7030069857D2E4169EE7", "s", 0);
  EXPECT_TRUE(std::regex_match(coin, std::regex("0x[0-9a-fA-F]{40}"))) << coin;
}

TEST(Pseudonyms, FollowFromSecretAndValue) {
  const auto one = pseudonym_of(Kind::Person, "Jane Roe", "s", 0);
  EXPECT_EQ(one, pseudonym_of(Kind::Person, "Jane Roe", "s", 0));
  EXPECT_NE(one + pseudonym_of(Kind::Card, "4111111111111111", "s", 0),
            pseudonym_of(Kind::Person, "Jane Roe", "t", 0) +
                pseudonym_of(Kind::Card, "4111111111111111", "t", 0));
  EXPECT_NE(hash_of(Kind::Email, "a", "s"), hash_of(Kind::Email, "a", "t"));
}

}  // namespace
}  // namespace causeway::pii
