#include "features/privacy/pii/treat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "features/privacy/pii/book.h"
#include "features/privacy/pii/chars.h"
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

TEST_F(TreatTest, ALabelSpeaksForTheNextText) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(treated({"My medical record number is", "48213377"}),
            (Texts{"My medical record number is", "[MEDICAL_RECORD]"}));
  EXPECT_EQ(treated({"Sure. What is your date of birth, please?", "It is 03/12/1980, and 7 too."}),
            (Texts{"Sure. What is your date of birth, please?", "It is [BIRTH_DATE], and 7 too."}));
  EXPECT_EQ(treated({"The last digits of the account number are 12", "84820557"}),
            (Texts{"The last digits of the account number are 12", "[BANK_ROUTING]"}));
  // Neither too far away, nor out of half a word, nor across texts that nobody says.
  const std::string much(60, 'x');
  for (const Texts& texts :
       {Texts{"My medical record number: " + much, "59302714"},
        Texts{"My medical record number is", much + " 59302714"},
        Texts{std::string(40, 'x') + "chart" + std::string(55, ' '), "59302714"},
        Texts{"My medical record number is", "Fine, thanks.", "59302714"}}) {
    EXPECT_EQ(treated(texts), texts);
  }
  const Texts metadata{"My medical record number is", "59302714"};
  EXPECT_EQ(treated(metadata, TextKind::Metadata), metadata);
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

Finding found_as(Kind kind, std::string_view rule = {}) {
  Finding finding;
  finding.kind = kind;
  finding.rule = rule;
  return finding;
}

TEST(Pseudonyms, HaveRightCheckDigits) {
  const auto detector = Detector::make({});
  Scratch scratch;
  std::vector<Finding> found;
  const auto right = [](std::string_view rule, std::string_view number) {
    std::string compact;
    for (const char c : number) {
      if (is_alnum(c)) compact += c;
    }
    const auto& rules = Book::get().numbers();
    const auto found = std::ranges::find(rules, rule, &NumberRule::id);
    return found != rules.end() && found->check(compact);
  };
  for (const std::string_view text :
       {"NHS number 943 476 5919", "Steuer-ID 86 095 742 719", "NIR 2 55 08 14 168 025 38",
        "DNI 12345678Z", "codice fiscale RSSMRA85T10A562S", "BSN 111222333", "PESEL 44051401359",
        "CPF 529.982.247-25", "AHV 756.9217.0769.85", "rijksregisternummer 85.07.30-033.28",
        "routing number 021000021", "personnummer 811228-9874", "id 11010519491231002X"}) {
    (*detector)->scan(text, scratch, found);
    ASSERT_FALSE(found.empty()) << text;
    const Finding& number = found.back();
    const std::string_view value = text.substr(number.begin, number.end - number.begin);
    for (const std::string_view secret : {"a", "b", "c"}) {
      const std::string made = pseudonym_of(number, value, secret, 0);
      EXPECT_NE(made, value);
      EXPECT_EQ(made.size(), value.size());
      EXPECT_TRUE(right(number.rule, made)) << made << " for " << text;
      EXPECT_EQ(made, pseudonym_of(number, value, secret, 0));
    }
  }
}

TEST(Pseudonyms, OfStreetsAreNoPersons) {
  std::set<std::string> persons, streets;
  for (int attempt = 0; attempt < 400; ++attempt) {
    persons.insert(pseudonym_of(found_as(Kind::Person), "Roe", "s", attempt));
    std::string street = pseudonym_of(found_as(Kind::Address), "12 Baker", "s", attempt);
    streets.insert(street.substr(street.find(' ') + 1));
  }
  EXPECT_GT(persons.size(), 30U);
  EXPECT_GT(streets.size(), 20U);
  for (const std::string& street : streets) EXPECT_FALSE(persons.contains(street)) << street;
}

TEST(Pseudonyms, StandOnOneLine) {
  const auto address =
      pseudonym_of(found_as(Kind::Address), "221 Baker Street\nSpringfield, IL 62704", "s", 0);
  EXPECT_EQ(address.find('\n'), address.npos) << address;
  const auto coin = pseudonym_of(found_as(Kind::CryptoAddress),
                                 "0x52908400098527886E0F7030069857D2E4169EE7", "s", 0);
  EXPECT_TRUE(std::regex_match(coin, std::regex("0x[0-9a-fA-F]{40}"))) << coin;
}

TEST(Pseudonyms, FollowFromSecretAndValue) {
  const auto one = pseudonym_of(found_as(Kind::Person), "Jane Roe", "s", 0);
  EXPECT_EQ(one, pseudonym_of(found_as(Kind::Person), "Jane Roe", "s", 0));
  EXPECT_NE(one + pseudonym_of(found_as(Kind::Card), "4111111111111111", "s", 0),
            pseudonym_of(found_as(Kind::Person), "Jane Roe", "t", 0) +
                pseudonym_of(found_as(Kind::Card), "4111111111111111", "t", 0));
  EXPECT_NE(hash_of(Kind::Email, "a", "s"), hash_of(Kind::Email, "a", "t"));
}

}  // namespace
}  // namespace causeway::pii
