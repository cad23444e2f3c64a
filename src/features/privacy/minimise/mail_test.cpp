#include "features/privacy/minimise/mail.h"

#include <gtest/gtest.h>

namespace causeway::minimise {
namespace {

constexpr MailParts kBoth{true, true}, kQuotes{true, false}, kSignatures{false, true};

std::string cut(std::string_view text, MailParts parts = kBoth) {
  return without_mail_parts(text, parts).value_or(std::string(text));
}

TEST(Mail, QuotedRepliesGo) {
  const char* mails[] = {
      "It is 4711.\n\nOn Tue, 3 Mar 2026 at 10:00, Ann <a@example.com> wrote:\n> What is it?\n> "
      "Ann",
      "It is 4711.\n\nOn Tuesday, March 3, 2026 at 10:00 AM Ann Example\n<a@example.com> "
      "wrote:\n\n> "
      "What?",
      "It is 4711.\n\nOn 3 Mar 2026 10:00, Ann wrote:\nWhat is it?\nAnn",
      "It is 4711.\n\nAm 03.03.2026 um 10:00 schrieb Ann <a@example.com>:\n> Was?",
      "It is 4711.\n\nAm Di., 3. März 2026 um 10:00 Uhr schrieb Ann:\n> Was?",
      "It is 4711.\n\nLe mar. 3 mars 2026 à 10:00, Ann <a@example.com> a écrit :\n> Quoi ?",
      "It is 4711.\n\nEl mar, 3 mar 2026 a las 10:00, Ann (<a@example.com>) escribió:\n> ¿Qué?",
      "It is 4711.\n\nIl giorno mar 3 mar 2026 alle ore 10:00 Ann <a@example.com> ha scritto:\n> "
      "Che?",
      "It is 4711.\n\nOp di 3 mrt 2026 om 10:00 schreef Ann <a@example.com>:\n> Wat?",
      "It is 4711.\r\n\r\n-----Original Message-----\r\nFrom: Ann\r\nWhat is it?",
      "It is 4711.\n\n-----Ursprüngliche Nachricht-----\nVon: Ann\nWas?",
      "It is 4711.\n\nFrom: Ann <a@example.com>\nSent: Tuesday\nTo: Bob\nSubject: Re: it\n\nWhat?",
      "It is 4711.\n\nVon: Ann\nGesendet: Dienstag\nAn: Bob\nBetreff: AW: es\n\nWas?",
      "It is 4711.\n\n*De :* Ann\n*Envoyé :* mardi\n*À :* Bob\n*Objet :* le code\n\nQuoi ?",
  };
  for (const char* mail : mails) EXPECT_EQ(cut(mail, kQuotes), "It is 4711.") << mail;
  EXPECT_EQ(cut("> first?\nyes\n> second?\nno", kQuotes), "yes\nno") << "answers in between";
}

TEST(Mail, WhatIsNoQuoteStays) {
  for (const char* text : {
           "On the first page he wrote: nothing",
           "I met her in May.\nOn the way she wrote:\nnothing",
           "a > b\n>>> print(1)",
           "From: me\nwith love",
           "From: Ann\nSent: Tuesday\nTo: Bob\nSubject: a mail with its own head\n\nHello",
           "Look:\n\n---------- Forwarded message ---------\nFrom: Ann\nDate: 3 Mar\nSubject: "
           "x\nTo: "
           "Bob\n\nWhat?",
           "> only a quote",
           ">_ prompt",
       }) {
    if (std::string_view(text).starts_with("a > b")) continue;
    EXPECT_EQ(cut(text, kQuotes), text);
  }
}

TEST(Mail, SignaturesGo) {
  const char* mails[] = {
      "It is 4711.\n\n-- \nAnn Example\nhttps://example.com",
      "It is 4711.\n--\nAnn",
      "It is 4711.\n\nBest regards,\nAnn Example\nHead of Doors, Example Ltd.\n+1 555 0100",
      "It is 4711.\n\nBest regards, Ann",
      "It is 4711.\n\nThanks,\nAnn",
      "It is 4711.\n\nCheers!\nann",
      "It is 4711.\n\nMit freundlichen Grüßen\nAnn Example\nTel. 0123 456",
      "It is 4711.\n\nMIT FREUNDLICHEN GRÜSSEN\n\nAnn von Example",
      "It is 4711.\n\nCordialement,\nAnn",
      "It is 4711.\n\nUn saludo,\nAnn",
      "It is 4711.\n\nCordiali saluti\nAnn",
      "It is 4711.\n\nMet vriendelijke groet,\nAnn",
      "It is 4711.\n\nSent from my iPhone",
      "It is 4711.\n\nVon meinem iPhone gesendet",
      "It is 4711.\n\nThanks,\nAnn\n\nSent from my iPhone",
      "It is 4711.\n\nKind regards,\nAnn\n\nThis e-mail and any attachments are confidential. If "
      "you "
      "are not the one it is for, delete it.",
  };
  for (const char* mail : mails) EXPECT_EQ(cut(mail, kSignatures), "It is 4711.") << mail;
}

TEST(Mail, WhatIsNoSignatureStays) {
  for (const char* text : {
           "Thanks!\nCan you also send me the code of the door?",
           "Best practices are these\nand those",
           "Thanks,\nplease check order 12345 and tell me about the delivery.",
           "Regards are due to all of you for the work that was done in this year",
           "Kind regards,\nAnn\n\nPS: the code is 4711",
           "Thank you for the code.\nIt works now.",
           "Best regards,\nAnn",
           "select 1\n-- a comment\nfrom t",
       }) {
    EXPECT_EQ(cut(text, kSignatures), text);
  }
}

TEST(Mail, ASignatureAboveAQuoteGoesAndTheQuoteStays) {
  EXPECT_EQ(
      cut("It is 4711.\n\nThanks,\nAnn\n\nOn 3 Mar 2026 10:00, Bob wrote:\n> What?\n", kSignatures),
      "It is 4711.\n\nOn 3 Mar 2026 10:00, Bob wrote:\n> What?");
  EXPECT_EQ(cut("It is 4711.\n\nThanks,\nAnn\n\nOn 3 Mar 2026 10:00, Bob wrote:\n> What?\n"),
            "It is 4711.");
}

TEST(Mail, NothingIsNotAMail) {
  for (const char* text : {"", "\n", "\n\n\n", ">", "--", "On ", ":"}) EXPECT_EQ(cut(text), text);
}

}  // namespace
}  // namespace causeway::minimise
