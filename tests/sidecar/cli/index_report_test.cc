// What `zrs index` prints, and that sidecar/cli/README.md has the fields of its JSON.
#include "sidecar/cli/index_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/document.h"

namespace zrs::cli {
namespace {

using Json = nlohmann::ordered_json;

filestorage::IndexReport Written() {
  return {.objects = 42, .position = 1'000'004, .scanned_bytes = 1'000'000, .went_on_from = 0, .written = true};
}

TEST(IndexText, Written) {
  EXPECT_EQ(IndexToText("/data/Data.fs", Written()),
            "/data/Data.fs.index: written, 42 objects, position 1000004, 1000000 bytes (1.0 MB) scanned\n");
}

TEST(IndexText, UpToDate) {
  EXPECT_EQ(IndexToText("a\nb", {.objects = 1, .position = 500, .went_on_from = 500}),
            "a?b.index: up to date, 1 objects, position 500, 0 bytes (0 B) scanned\n");
}

TEST(IndexJson, ItsFieldsAreThoseOfTheDocument) {
  const Json json = Json::parse(IndexToJson("/data/Data.fs", Written()));
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  EXPECT_EQ(tests::DocumentedNames("sidecar/cli/README.md", "index"), names);
  EXPECT_EQ(json["path"], "/data/Data.fs");
  EXPECT_EQ(json["index"], "/data/Data.fs.index");
  EXPECT_EQ(json["written"], true);
  EXPECT_EQ(json["objects"], 42);
  EXPECT_EQ(json["position"], 1'000'004);
  EXPECT_EQ(json["scannedBytes"], 1'000'000);
  EXPECT_TRUE(json["wentOnFrom"].is_null());
}

TEST(IndexJson, WhereItWentOnFrom) {
  EXPECT_EQ(Json::parse(IndexToJson("\xff", {.went_on_from = 500}))["wentOnFrom"], 500);
}

}  // namespace
}  // namespace zrs::cli
