#include "features/insight/evaluation/test_cases.h"

#include <boost/json.hpp>
#include <chrono>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::evaluation {
namespace {

constexpr store::Migration kMigrations[] = {
    {1,
     "create table test_cases("
     "  id text primary key,"
     "  trace text not null unique,"
     "  tenant text not null,"
     "  model text not null,"
     "  operation text not null,"
     "  dialect text not null,"
     "  made_by text not null,"
     "  made_at integer not null,"
     "  note blob not null,"
     "  contents blob not null"
     ") without rowid;"},
};

constexpr std::string_view kNotes = "test_cases.note", kContents = "test_cases.contents";

std::unexpected<Error> no_such_case() {
  return fail(ErrorKind::NotFound, Origin::Client, "No test case has this id.",
              "test_case_not_found");
}

TestCase read_row(const store::Row& row) {
  TestCase one;
  one.id = row.text(0);
  one.trace = row.text(1);
  one.tenant = row.text(2);
  one.model = row.text(3);
  one.operation = row.text(4);
  one.dialect = row.text(5);
  one.made_by = row.text(6);
  one.made_at = row.integer(7);
  one.note = row.text(8);  // still sealed
  return one;
}

Result<void> check_room(store::Database& db, const std::string& trace) {
  std::int64_t count = 0, same = 0;
  auto counted = db.query("select count(*), coalesce(sum(trace = ?), 0) from test_cases", {trace},
                          [&](const store::Row& row) {
                            count = row.integer(0);
                            same = row.integer(1);
                            return false;
                          });
  if (!counted) return counted;
  if (same > 0) {
    return fail(ErrorKind::Conflict, Origin::Client, "This trace is a test case already.",
                "test_case_exists");
  }
  if (count >= static_cast<std::int64_t>(TestCases::kMost)) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "There are 10,000 test cases, which is the most; remove some first.",
                "too_many_test_cases");
  }
  return {};
}

}  // namespace

Result<void> TestCases::open() { return store_.migrate("evaluation", kMigrations); }

Result<TestCase> TestCases::add(const Recorded& recorded, std::string note, std::string made_by) {
  TestCase one{
      .id = "case_" + crypto::to_hex(crypto::random_bytes(10)),
      .trace = recorded.id,
      .tenant = recorded.tenant,
      .model = recorded.model,
      .operation = recorded.operation,
      .dialect = recorded.dialect,
      .made_by = std::move(made_by),
      .made_at = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch())
                     .count(),
      .note = std::move(note),
      .contents = recorded.contents};
  auto sealed_note = sealed_.seal({one.tenant, kNotes, one.id}, one.note);
  if (!sealed_note) return pass(std::move(sealed_note));
  auto sealed_contents = sealed_.seal({one.tenant, kContents, one.id}, one.contents);
  if (!sealed_contents) return pass(std::move(sealed_contents));
  auto written = store_.write_and_wait([&](store::Database& db) -> Result<void> {
    if (auto room = check_room(db, one.trace); !room) return room;
    auto added = db.run(
        "insert into test_cases values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {one.id, one.trace, one.tenant, one.model, one.operation, one.dialect, one.made_by,
         one.made_at, store::Value::bytes(*sealed_note), store::Value::bytes(*sealed_contents)});
    if (!added) return pass(std::move(added));
    return {};
  });
  if (!written) return pass(std::move(written));
  return one;
}

Result<std::vector<TestCase>> TestCases::all() {
  std::vector<TestCase> cases;
  auto read = store_.read([&](store::Database& db) {
    return db.query(
        "select id, trace, tenant, model, operation, dialect, made_by, made_at, note "
        "from test_cases order by made_at desc, id",
        {}, [&](const store::Row& row) {
          cases.push_back(read_row(row));
          return true;
        });
  });
  if (!read) return pass(std::move(read));
  std::erase_if(cases, [&](TestCase& one) {
    auto note = sealed_.unseal({one.tenant, kNotes, one.id}, one.note);
    if (note) one.note = std::move(*note);
    return !note;
  });
  return cases;
}

Result<TestCase> TestCases::one(const std::string& id) {
  std::optional<TestCase> found;
  std::string contents;
  auto read = store_.read([&](store::Database& db) {
    return db.query(
        "select id, trace, tenant, model, operation, dialect, made_by, made_at, note, contents "
        "from test_cases where id = ?",
        {id}, [&](const store::Row& row) {
          found = read_row(row);
          contents = row.text(9);
          return false;
        });
  });
  if (!read) return pass(std::move(read));
  if (!found) return no_such_case();
  auto note = sealed_.unseal({found->tenant, kNotes, id}, found->note);
  if (!note) return pass(std::move(note));
  auto opened = sealed_.unseal({found->tenant, kContents, id}, contents);
  if (!opened) return pass(std::move(opened));
  found->note = std::move(*note);
  found->contents = std::move(*opened);
  return std::move(*found);
}

Result<Recorded> TestCases::recorded(const std::string& id) {
  auto found = one(id);
  if (!found) return pass(std::move(found));
  namespace bj = boost::json;
  bj::error_code failed;
  const bj::value contents = bj::parse(found->contents, failed);
  Recorded out;
  out.id = found->trace;
  out.tenant = std::move(found->tenant);
  out.model = std::move(found->model);
  out.operation = std::move(found->operation);
  out.dialect = std::move(found->dialect);
  if (!failed && contents.is_object()) {
    out.request = std::string_view(contents.at("request").as_string());
    out.request_cut = contents.at("request_cut").as_bool();
  }
  const bj::value body = bj::parse(out.request, failed);
  const bj::value* stream =
      !failed && body.is_object() ? body.as_object().if_contains("stream") : nullptr;
  out.streamed = stream && stream->is_bool() && stream->get_bool();
  out.contents = std::move(found->contents);
  return out;
}

Result<void> TestCases::remove(const std::string& id) {
  return store_.write_and_wait([&](store::Database& db) -> Result<void> {
    auto gone = db.run("delete from test_cases where id = ?", {id});
    if (!gone) return pass(std::move(gone));
    if (*gone == 0) return no_such_case();
    return {};
  });
}

}  // namespace causeway::evaluation
