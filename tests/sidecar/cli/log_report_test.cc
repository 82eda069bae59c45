// How `zrs log` shows a transaction, whatever is in it, and that sidecar/cli/README.md has the fields of its JSON.
#include "sidecar/cli/log_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sidecar/cli/log_command.h"
#include "tests/support/document.h"

namespace zrs::cli {
namespace {

using filestorage::LoggedTransaction;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

LoggedTransaction Transaction() {
  return {.position = 4,
          .size = 88,
          .tid = 0x03f84a6e00000000,
          .status = ' ',
          .records = 1,
          .user = " admin",
          .description = "hello"};
}

TEST(LogLine, OfATransaction) {
  EXPECT_EQ(LogLine(Transaction()),
            "03f84a6e00000000  2024-05-01T12:30:00.000000Z      1 records          88 bytes  \"admin\"  \"hello\"\n");
}

TEST(LogLine, OfOneThatIsNotComplete) {
  LoggedTransaction transaction = Transaction();
  transaction.status = 'c';
  EXPECT_THAT(LogLine(transaction), HasSubstr(" bytes  (in progress)  \"admin\""));
}

TEST(LogLine, WhatATerminalWouldObeyIsEscaped) {
  LoggedTransaction transaction = Transaction();
  transaction.user = "a\033[2Jb\n\xff";
  transaction.description = "\xc3\xbc\xc2\x9b";  // U+00FC, U+009B
  EXPECT_THAT(LogLine(transaction), HasSubstr("\"a\\033[2Jb\\n\\377\"  \"\xc3\xbc\\302\\233\"\n"));
}

TEST(LogLine, LongStringsAreCut) {
  LoggedTransaction transaction = Transaction();
  transaction.description = std::string(65535, 'd');
  EXPECT_THAT(LogLine(transaction), HasSubstr("dddd...\"\n"));
  EXPECT_LT(LogLine(transaction).size(), 300u);
}

TEST(LogLine, ATidThatIsNoTime) {
  LoggedTransaction transaction = Transaction();
  transaction.tid = ((uint64_t{1} * 12 + 1) * 31 + 30) * 1440 << 32;  // February 31
  EXPECT_THAT(LogLine(transaction), HasSubstr("  -    "));
  EXPECT_TRUE(Json::parse(LogJson(transaction))["time"].is_null());
}

TEST(LogJson, ItsFieldsAreThoseOfTheDocument) {
  const Json json = Json::parse(LogJson(Transaction()));
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  EXPECT_EQ(tests::DocumentedNames("sidecar/cli/README.md", "log"), names);
  EXPECT_EQ(json["tid"], "03f84a6e00000000");
  EXPECT_EQ(json["time"], "2024-05-01T12:30:00.000000Z");
  EXPECT_EQ(json["status"], "complete");
  EXPECT_EQ(json["position"], 4);
  EXPECT_EQ(json["bytes"], 88);
  EXPECT_EQ(json["records"], 1);
  EXPECT_EQ(json["user"], " admin");
  EXPECT_EQ(json["description"], "hello");
  EXPECT_EQ(json["escaped"], false);
}

TEST(LogJson, NothingIsCutAndOnlyWhatIsNoUtf8IsEscaped) {
  LoggedTransaction transaction = Transaction();
  transaction.user = "a\\b\"\n\xc3\xbc";
  transaction.description = std::string(65535, 'd');
  Json json = Json::parse(LogJson(transaction));
  EXPECT_EQ(json["user"], transaction.user);
  EXPECT_EQ(json["description"], transaction.description);
  EXPECT_EQ(json["escaped"], false);
  transaction.description = std::string(1000, 'd') + "\\\xff";
  json = Json::parse(LogJson(transaction));
  EXPECT_EQ(json["user"], "a\\\\b\\\"\\n\xc3\xbc");
  EXPECT_EQ(json["description"], std::string(1000, 'd') + "\\\\\\377");
  EXPECT_EQ(json["escaped"], true);
}

TEST(LogJson, IsOneLineThatATerminalDoesNotObey) {
  LoggedTransaction transaction = Transaction();
  transaction.user = "\033\n\x7f\xc2\x9b";
  const std::string line = LogJson(transaction);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c < '\x7f'; })) << line;
}

TEST(LogJson, Statuses) {
  LoggedTransaction transaction = Transaction();
  std::vector<std::string> words;
  for (const char status : {' ', 'p', 'u', 'c'}) {
    transaction.status = status;
    words.push_back(Json::parse(LogJson(transaction))["status"]);
  }
  EXPECT_THAT(words, testing::ElementsAre("complete", "packed", "undone", "in progress"));
}

TEST(LogNotes, OfADataFile) {
  EXPECT_EQ(LogNotes("/a", {.end = 100}), "");
  EXPECT_EQ(LogNotes("/a", {.end = 100, .rest = 7}),
            "zrs: /a: the last 7 bytes, from offset 100 on, are not committed\n");
  EXPECT_EQ(LogNotes("/a", {.stopped = true, .end = 100, .rest = 7}), "");
  EXPECT_EQ(LogNotes("/a\n", {.end = 100, .rest = 7, .sound = false, .position = 99, .reason = "why"}),
            "zrs: /a? is damaged at offset 99: why; what follows is not listed. zrs verify /a? tells what to do\n");
}

TEST(LogNotes, OfASavedTail) {
  EXPECT_EQ(LogNotes("/a", {.is_tail = true, .cut_at = 500}),
            "zrs: /a is a saved tail, which was cut off its data file at 500\n");
  EXPECT_EQ(LogNotes("/a", {.is_tail = true, .end = 3, .rest = 7}),
            "zrs: /a is a saved tail, which was cut off its data file; none of its records tells where\n"
            "zrs: /a: the last 7 bytes, from offset 3 on, are no whole transaction\n");
}

TEST(ParseTid, SixteenHexDigits) {
  EXPECT_EQ(ParseTid("03f84a6e00000000"), 0x03f84a6e00000000u);
  EXPECT_EQ(ParseTid("0x03F84A6E0000000f"), 0x03f84a6e0000000fu);
  EXPECT_EQ(ParseTid("0XFFFFFFFFFFFFFFFF"), 0xffffffffffffffffu);
  for (const char* text : {"", "0x", "03f84a6e0000000", "03f84a6e000000000", "03f84a6e0000000g", " 3f84a6e00000000",
                           "-3f84a6e00000000", "0x0x4a6e00000000"}) {
    EXPECT_EQ(ParseTid(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace zrs::cli
