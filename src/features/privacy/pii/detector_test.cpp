// What is found and what is left alone, one line a case.
#include "features/privacy/pii/detector.h"

#include <gtest/gtest.h>

#include <string>

namespace causeway::pii {
namespace {

const Detector& detector() {
  static const auto made = Detector::make({});
  return **made;
}

std::vector<Finding> findings(std::string_view text) {
  Scratch scratch;
  std::vector<Finding> found;
  detector().scan(text, scratch, found);
  return found;
}

struct Case {
  std::string_view text, found;  // what must be found, as it stands in the text
  std::string_view kind;
};

class Finds : public testing::TestWithParam<Case> {};

TEST_P(Finds, ExactlyThat) {
  const auto& [text, expected, kind] = GetParam();
  std::string all;
  for (const Finding& one : findings(text)) {
    const auto bytes = text.substr(one.begin, one.end - one.begin);
    all += std::string(name_of(one.kind)) + " [" + std::string(bytes) + "] by " +
           std::string(one.rule) + "\n";
    if (bytes == expected && name_of(one.kind) == kind) return;
  }
  FAIL() << text << "\nfound:\n" << all;
}

INSTANTIATE_TEST_SUITE_P(
    Disguised, Finds,
    testing::Values(
        Case{"write to jоhn@exаmple.com now", "jоhn@exаmple.com", "email"},  // Cyrillic о and а
        Case{"card ４１１１ １１１１ １１１１ １１１１ ok", "４１１１ １１１１ １１１１ １１１１",
             "card"},
        Case{"card 4111\u200b1111\u200b1111\u200b1111.", "4111\u200b1111\u200b1111\u200b1111",
             "card"},
        Case{"card 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "card"},
        Case{"card 4111-1111-1111-1111 ok", "4111-1111-1111-1111", "card"},
        Case{"card 4111.1111.1111.1111 ok", "4111.1111.1111.1111", "card"},
        Case{"card 4111\n1111\n1111\n1111 ok", "4111\n1111\n1111\n1111", "card"},
        Case{"mail john&#64;example.com", "john&#64;example.com", "email"},
        Case{"https://x.example/?m=jan.ko@example.com&y=1", "jan.ko@example.com", "email"},
        Case{"https://x.example/a/jan@example.com", "jan@example.com", "email"},
        Case{"user=jan@example.com role=admin", "jan@example.com", "email"},
        Case{"bounce+jan=example.org@lists.example.com", "bounce+jan=example.org@lists.example.com",
             "email"},
        Case{"jan=example.org@lists.example.com", "jan=example.org@lists.example.com", "email"},
        Case{"mail john%40example.com", "john%40example.com", "email"},
        Case{"mail ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ!", "ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "email"},
        Case{"IBAN ＤＥ89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
             "ＤＥ89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "iban"},
        Case{"lives at 12 Main Street,\nSpringfield, IL 62704",
             "12 Main Street,\nSpringfield, IL 62704", "address"},
        Case{"SSN 536–90–4399", "536–90–4399", "national_id"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, Finds,
    testing::Values(
        Case{"IBAN: GB82 WEST 1234 5698 7654 32.", "GB82 WEST 1234 5698 7654 32", "iban"},
        Case{"iban nl91abna0417164300", "nl91abna0417164300", "iban"},
        Case{"iban gb29 nwbk 6016 1331 9268 19 ok", "gb29 nwbk 6016 1331 9268 19", "iban"},
        Case{"my 3 cards: 5500 0000 0000 0004 and", "5500 0000 0000 0004", "card"},
        Case{"Amex 3782 822463 10005", "3782 822463 10005", "card"},
        Case{"routing number 021000021", "021000021", "bank_routing"},
        Case{"NINO AB 12 34 56 C", "AB 12 34 56 C", "national_id"},
        Case{"Steuer-ID 86 095 742 719", "86 095 742 719", "tax_id"},
        Case{"NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38", "national_id"},
        Case{"DNI 12345678Z", "12345678Z", "national_id"},
        Case{"NIE X1234567L", "X1234567L", "national_id"},
        Case{"codice fiscale RSSMRA85T10A562S", "RSSMRA85T10A562S", "tax_id"},
        Case{"BSN 111222333", "111222333", "national_id"},
        Case{"PESEL 44051401359", "44051401359", "national_id"},
        Case{"CPF 529.982.247-25", "529.982.247-25", "national_id"},
        Case{"PAN ABCPE1234F", "ABCPE1234F", "tax_id"},
        Case{"AHV 756.9217.0769.85", "756.9217.0769.85", "national_id"},
        Case{"SIN 213 456 783", "213 456 783", "national_id"},
        Case{"TFN 123 456 782", "123 456 782", "tax_id"},
        Case{"NRIC S1234567D", "S1234567D", "national_id"},
        Case{"id 11010519491231002X", "11010519491231002X", "national_id"},
        Case{"personnummer 811228-9874", "811228-9874", "national_id"},
        Case{"hetu 131052-308T", "131052-308T", "national_id"},
        Case{"kimlik 10000000146", "10000000146", "national_id"},
        Case{"PPS 1234567T", "1234567T", "national_id"},
        Case{"rijksregisternummer 85.07.30-033.28", "85.07.30-033.28", "national_id"},
        Case{"RUT 12.345.678-5", "12.345.678-5", "national_id"},
        Case{"My Number 1234 5678 9018", "1234 5678 9018", "national_id"},
        Case{"HKID A123456(3)", "A123456(3", "national_id"},
        Case{"passport number 533380006", "533380006", "passport"},
        Case{"driver's license D1234567", "D1234567", "driving_licence"},
        Case{"MRN: 00456789", "00456789", "medical_record"},
        Case{"NHS number 943 476 5919", "943 476 5919", "medical_record"},
        Case{"NPI 1234567893", "1234567893", "medical_record"},
        Case{"Medicare 1EG4-TE5-MK73", "1EG4-TE5-MK73", "insurance"},
        Case{"policy number ABC123456", "ABC123456", "insurance"},
        Case{"DOB: 03/12/1980", "03/12/1980", "birth_date"},
        Case{"It's like that since 04/05/1975.", "04/05/1975", "birth_date"},
        Case{"it's like that since april 7, 1974", "april 7, 1974", "birth_date"},
        Case{"Das ist so seit dem 3. März 1980", "3. März 1980", "birth_date"},
        Case{"geboren am 3. März 1980", "3. März 1980", "birth_date"},
        Case{"née le 14 juillet 1975", "14 juillet 1975", "birth_date"}));

INSTANTIATE_TEST_SUITE_P(
    Others, Finds,
    testing::Values(
        Case{"call (415) 555-2671 x12", "(415) 555-2671 x12", "phone"},
        Case{"Tel. 030 901820 bitte", "030 901820", "phone"},
        Case{"ring +44 20 7946 0958.", "+44 20 7946 0958", "phone"},
        Case{"host 192.168.1.77.", "192.168.1.77", "ip"},
        Case{"from fe80::1ff:fe23:4567:890a", "fe80::1ff:fe23:4567:890a", "ip"},
        Case{"mac 00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5E", "mac"},
        Case{"mac 00-1a-2b-3c-4d-5e", "00-1a-2b-3c-4d-5e", "mac"},
        Case{"gps 48.85837, 2.29448", "48.85837, 2.29448", "coordinates"},
        Case{"at 40°26′46″N 79°58′56″W", "40°26′46″N 79°58′56″W", "coordinates"},
        Case{"postgres://admin:hunter22@db.example.com/x", "admin:hunter22", "url_credentials"},
        Case{"to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
             "crypto_address"},
        Case{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
             "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "crypto_address"},
        Case{"id AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "api_key"},
        Case{"My name is John Smith.", "John Smith", "person"},
        Case{"Frau Dr. Erika Mustermann kommt", "Erika Mustermann", "person"},
        Case{"He met Sarah O'Connor there", "Sarah O'Connor", "person"},
        Case{"works at Baker & Sons Ltd.", "Baker & Sons Ltd.", "organisation"},
        Case{"bei der Siemens AG", "Siemens AG", "organisation"},
        Case{"at 221B Baker Street, London NW1 6XE.", "221B Baker Street, London NW1 6XE",
             "address"},
        Case{"Müllerstraße 12, 13353 Berlin", "Müllerstraße 12, 13353 Berlin", "address"},
        Case{"au 12 rue de la Paix, 75002 Paris.", "12 rue de la Paix, 75002 Paris", "address"},
        Case{"en Calle Mayor 12, 28013 Madrid.", "Calle Mayor 12, 28013 Madrid", "address"},
        Case{"in Via Roma 12, 00184 Roma.", "Via Roma 12, 00184 Roma", "address"},
        Case{"Keizersgracht 12, 1015 CJ Amsterdam", "Keizersgracht 12, 1015 CJ Amsterdam",
             "address"}));

class LeavesAlone : public testing::TestWithParam<std::string_view> {};

TEST_P(LeavesAlone, Clean) {
  for (const Finding& one : findings(GetParam())) {
    ADD_FAILURE() << GetParam() << "\n"
                  << name_of(one.kind) << " [" << GetParam().substr(one.begin, one.end - one.begin)
                  << "] by " << one.rule;
  }
}

INSTANTIATE_TEST_SUITE_P(
    HardNegatives, LeavesAlone,
    testing::Values("deprecated since 2019-03-02, since 4 May 2021", "open since 1975",
                    "We use version 1.2.3.4 of the library.", "Chrome/120.0.0.0 Safari/537.36",
                    "2024-01-02T03:04:05.123Z INFO started in 120 ms",
                    "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e",
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    "pi is 3.14159 and e is 2.71828",
                    "The sum of 12 345 678 and 87 654 321 is 99 999 999", "part number SKU-48213-B",
                    "order 4711 ships on Monday", "std::vector<int> a{1, 2, 3};",
                    "if (x == 10) return y[3];", "Python 3.11.4 runs on Ubuntu 22.04.3 LTS",
                    "The meeting is at 10:30 on 12/05/2024", "See section 4.2.1.3 of the manual",
                    "ISBN 978-3-16-148410-0", "commit 5b34ba3 merged into main",
                    "npm install left-pad@1.3.0", "The price is $1,299.99 or 15% less",
                    "Will you mark the chase in May?", "a ratio of 16:9 at 12:34:56",
                    "4111 1111 1111 1112 is no card of ours"));

TEST(Detector, SpansAreInOrderAndDoNotOverlap) {
  std::uint32_t end = 0;
  for (const Finding& one : findings("Dr. Müller, john@x.com, 12 Main Street, Springfield, IL "
                                     "62704, DOB 1/2/1980, 4111111111111111")) {
    EXPECT_GE(one.begin, end);
    EXPECT_GT(one.end, one.begin);
    end = one.end;
  }
  EXPECT_GT(end, 0U);
}

TEST(Detector, EveryNameOfALongList) {
  const std::string_view names[] = {"Olin Ernser",  "Aimee Howe",   "Gutmann",  "Florian Watsica",
                                    "Madison Rice", "Nat Nitzsche", "Parisian", "Devonte Champlin",
                                    "Ana Lopez",    "Ray Carter",   "Kovacek",  "Cielo Heller"};
  for (std::size_t first = 0; first < std::size(names); ++first) {
    std::string text = "Present were ";
    for (std::size_t i = 0; i < std::size(names); ++i) {
      if (i > 0) text += ", ";
      text += i % 2 == 0 ? "Mr. " : "Ms ";
      text += names[(first + i) % std::size(names)];
    }
    const auto found = findings(text);
    ASSERT_EQ(found.size(), std::size(names)) << text;
    for (std::size_t i = 0; i < std::size(names); ++i) {
      EXPECT_EQ(text.substr(found[i].begin, found[i].end - found[i].begin),
                names[(first + i) % std::size(names)]);
    }
  }
}

TEST(Detector, OwnWordsAndPatterns) {
  DetectorOptions options;
  options.words = {{"project", "Blue Heron"}};
  options.patterns = {{"ticket", "TCK-[0-9]{4}"}};
  const auto made = Detector::make(options);
  ASSERT_TRUE(made);
  Scratch scratch;
  std::vector<Finding> found;
  (*made)->scan("about blue heron and ТCK-1234", scratch, found);  // Cyrillic Т
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].rule, "own.project");
  EXPECT_EQ(found[1].rule, "own.ticket");
  EXPECT_EQ(found[1].kind, Kind::Custom);
}

TEST(Detector, RefusesBadOwnRules) {
  const auto message = [](std::string text) {
    DetectorOptions options;
    options.patterns = {{"mine", std::move(text)}};
    const auto made = Detector::make(options);
    return made ? std::string() : made.error().message;
  };
  EXPECT_NE(message("("), "");
  EXPECT_NE(message("a*"), "");
  EXPECT_NE(message("((a{100}){100}){10}"), "");
  EXPECT_NE(message(std::string(kMaxOwnPatternBytes + 1, 'a')), "");
  EXPECT_EQ(message("a+b"), "");
}

TEST(Detector, KindsThatAreOffAreNotFound) {
  DetectorOptions options;
  options.kinds = KindSet::none().add(Kind::Email);
  const auto made = Detector::make(options);
  Scratch scratch;
  std::vector<Finding> found;
  (*made)->scan("John Smith, john@x.com, 4111111111111111", scratch, found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Kind::Email);
}

}  // namespace
}  // namespace causeway::pii
