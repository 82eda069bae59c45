// What `zrs verify` prints of each kind of file, and that sidecar/cli/README.md has the fields of its JSON.
#include "sidecar/cli/verify_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "filestorage/timestamp.h"
#include "tests/support/document.h"
#include "tests/support/encode.h"

namespace zrs::cli {
namespace {

using filestorage::VerifyReport;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

constexpr char kPath[] = "/data/Data.fs";
const absl::Time kTime = absl::FromUnixSeconds(1'700'000'000);

VerifyReport Sound() {
  VerifyReport report;
  report.sound = true;
  report.end.offset = 123'456'789;
  report.end.tid = *tests::TidFromTime(kTime);
  report.file_size = 123'456'789;
  report.transactions = 17;
  report.records = 42;
  return report;
}

VerifyReport Damaged() {
  VerifyReport report = Sound();
  report.sound = false;
  report.file_size = 200'000'000;
  report.position = 123'456'805;
  report.reason = "a transaction has the invalid status '?'";
  return report;
}

VerifyReport NoFileStorage() {
  VerifyReport report;
  report.file_size = 3;
  report.reason = "not a FileStorage";
  return report;
}

std::vector<std::string> FieldNames(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

std::string ToText(const VerifyReport& report) { return VerifyToText(kPath, report, 1000); }
Json ToJson(const VerifyReport& report) { return Json::parse(VerifyToJson(kPath, report)); }

TEST(VerifyText, Sound) {
  EXPECT_EQ(ToText(Sound()),
            "/data/Data.fs: sound\n"
            "  size         123456789 bytes (123.5 MB)\n"
            "  transactions 17\n"
            "  records      42\n"
            "  last tid     03f47f9555555555 of 2023-11-14T22:13:20.000000Z\n"
            "  ends at      offset 123456789\n");
}

TEST(VerifyText, WithoutTransactions) {
  VerifyReport report;
  report.sound = true;
  report.end.offset = 4;
  report.file_size = 4;
  EXPECT_THAT(ToText(report), HasSubstr("last tid     none\n"));
}

TEST(VerifyText, AnUncommittedTailAndDecreasingTidsAreToldOfASoundFile) {
  VerifyReport report = Sound();
  report.file_size += 1500;
  report.uncommitted_bytes = 1500;
  report.decreasing_tids = 3;
  EXPECT_THAT(
      ToText(report),
      AllOf(HasSubstr(": sound\n"),
            HasSubstr("uncommitted  1500 bytes (1.5 kB) behind the last transaction are not committed: harmless "
                      "while a writer is at work; cut off by ZODB when it opens the file for writing\n"),
            HasSubstr("warning      3 transactions are not newer"), Not(HasSubstr("next step"))));
}

TEST(VerifyText, DamageHasPositionReasonLastSoundTransactionAndNextStep) {
  EXPECT_THAT(ToText(Damaged()),
              AllOf(HasSubstr("/data/Data.fs: damaged\n"),
                    HasSubstr("damage       at offset 123456805: a transaction has the invalid status '?'\n"),
                    HasSubstr("last sound   03f47f9555555555 of 2023-11-14T22:13:20.000000Z\n"),
                    HasSubstr("sound until  offset 123456789\n"), HasSubstr("next step    "),
                    HasSubstr("head -c 123456789 /data/Data.fs"), Not(HasSubstr("uncommitted"))));
}

TEST(VerifyText, LongLinesAreWrapped) {
  for (const absl::string_view line : absl::StrSplit(VerifyToText(kPath, Damaged(), 80), '\n')) {
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(VerifyText, WhatIsNoFileStorageHasNoTransactions) {
  EXPECT_THAT(ToText(NoFileStorage()),
              AllOf(HasSubstr(": damaged\n"), HasSubstr("damage       at offset 0: not a FileStorage"),
                    HasSubstr("check the path"), Not(HasSubstr("transactions")), Not(HasSubstr("head -c"))));
}

TEST(VerifyJson, Sound) {
  const Json json = ToJson(Sound());
  EXPECT_EQ(json["path"], kPath);
  EXPECT_EQ(json["sound"], true);
  EXPECT_EQ(json["size"], 123'456'789);
  EXPECT_EQ(json["transactions"], 17);
  EXPECT_EQ(json["records"], 42);
  EXPECT_EQ(json["committedEnd"], 123'456'789);
  EXPECT_EQ(json["lastTid"], "03f47f9555555555");
  EXPECT_EQ(json["lastTidTime"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(json["uncommittedBytes"], 0);
  EXPECT_EQ(json["decreasingTids"], 0);
  EXPECT_TRUE(json["damage"].is_null());
}

TEST(VerifyJson, Damaged) {
  const Json json = ToJson(Damaged());
  EXPECT_EQ(json["sound"], false);
  EXPECT_EQ(json["committedEnd"], 123'456'789);
  EXPECT_EQ(json["damage"]["position"], 123'456'805);
  EXPECT_EQ(json["damage"]["reason"], "a transaction has the invalid status '?'");
  EXPECT_THAT(json["damage"]["remedy"].get<std::string>(), HasSubstr("head -c 123456789"));
  // What lies behind the damage is not known.
  EXPECT_TRUE(json["uncommittedBytes"].is_null());
}

TEST(VerifyJson, WhatIsNotKnownIsNull) {
  const Json json = ToJson(NoFileStorage());
  for (const char* field : {"committedEnd", "lastTid", "lastTidTime", "uncommittedBytes"}) {
    EXPECT_TRUE(json.at(field).is_null()) << field;
  }
  EXPECT_EQ(json["damage"]["position"], 0);
}

TEST(VerifyJson, ATidThatIsNoTimeHasNone) {
  VerifyReport report = Sound();
  report.end.tid = ((uint64_t{1} * 12 + 1) * 31 + 30) * 1440 << 32;  // February 31
  EXPECT_FALSE(ToJson(report)["lastTid"].is_null());
  EXPECT_TRUE(ToJson(report)["lastTidTime"].is_null());
  EXPECT_THAT(ToText(report), Not(HasSubstr(" of ")));
}

TEST(VerifyJson, APathThatIsNoUtf8) {
  EXPECT_EQ(Json::parse(VerifyToJson("/data/\xff", Sound()))["path"], "/data/\xEF\xBF\xBD");
}

TEST(VerifyJson, ItsFieldsAreThoseOfTheDocument) {
  const Json json = ToJson(Damaged());
  EXPECT_EQ(tests::DocumentedNames("sidecar/cli/README.md", "verify"), FieldNames(json));
  EXPECT_EQ(tests::DocumentedNames("sidecar/cli/README.md", "verify damage"), FieldNames(json["damage"]));
}

}  // namespace
}  // namespace zrs::cli
