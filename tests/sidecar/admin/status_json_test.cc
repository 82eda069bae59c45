#include "sidecar/admin/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/sidecar/admin/status_samples.h"

namespace zrs::admin {
namespace {

using Json = nlohmann::json;

TEST(StatusJson, WhatIsNotKnownIsNull) {
  v1::StatusResponse status;
  status.set_version("1.2.3");
  status.set_pid(42);
  v1::StorageStatus* storage = status.add_storages();
  storage->set_name("main");
  storage->set_role("secondary");
  storage->set_state("starting");
  storage->set_path("/Data.fs");
  const Json json = Json::parse(StatusToJson(status, JsonLayout::kIndented));
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["pid"], 42);
  const Json& one = json["storages"][0];
  EXPECT_EQ(one["name"], "main");
  for (const char* field : {"databaseId", "epoch", "committedEnd", "lastTid", "lastTidTime", "lagBytes", "lagSeconds",
                            "watch", "progress", "upstream", "error", "blobs"}) {
    ASSERT_TRUE(one.contains(field)) << field;
    EXPECT_TRUE(one[field].is_null()) << field;
  }
  EXPECT_EQ(one["followers"], Json::array());
}

TEST(StatusJson, PositionsAreNumbersAlsoLargeOnes) {
  v1::StatusResponse status;
  v1::StorageStatus* storage = status.add_storages();
  storage->set_committed_end(uint64_t{1} << 60);
  storage->set_lag_bytes(0);
  storage->set_lag_seconds(0);
  const Json json = Json::parse(StatusToJson(status, JsonLayout::kIndented))["storages"][0];
  EXPECT_TRUE(json["committedEnd"].is_number_integer());
  EXPECT_EQ(json["committedEnd"].get<uint64_t>(), uint64_t{1} << 60);
  EXPECT_EQ(json["lagBytes"], 0);
  EXPECT_EQ(json["lagSeconds"], 0.0);
}

TEST(StatusJson, FollowersUpstreamProgressAndError) {
  v1::StatusResponse status;
  v1::StorageStatus* storage = status.add_storages();
  v1::Follower* follower = storage->add_followers();
  follower->set_peer("ipv4:127.0.0.1:1");
  follower->set_state("streaming");
  follower->set_acknowledged(7);
  storage->mutable_upstream()->set_address("a:1");
  storage->mutable_upstream()->set_last_error("refused");
  storage->mutable_progress()->set_total(9);
  storage->mutable_error()->set_remedy("do this");
  const Json json = Json::parse(StatusToJson(status, JsonLayout::kIndented))["storages"][0];
  EXPECT_EQ(json["followers"][0]["acknowledged"], 7);
  EXPECT_TRUE(json["followers"][0]["sent"].is_null());
  EXPECT_EQ(json["upstream"]["address"], "a:1");
  EXPECT_EQ(json["upstream"]["connected"], false);
  EXPECT_EQ(json["upstream"]["lastError"], "refused");
  EXPECT_TRUE(json["upstream"]["since"].is_null());
  EXPECT_EQ(json["progress"]["total"], 9);
  EXPECT_TRUE(json["progress"]["rate"].is_null());
  EXPECT_TRUE(json["progress"]["secondsLeft"].is_null());
  EXPECT_EQ(json["error"]["remedy"], "do this");
}

TEST(StatusJson, QuotesAndLineFeedsAreEscaped) {
  v1::StatusResponse status;
  status.add_storages()->mutable_error()->set_message("quote \" and line\nfeed");
  EXPECT_EQ(Json::parse(StatusToJson(status, JsonLayout::kIndented))["storages"][0]["error"]["message"],
            "quote \" and line\nfeed");
}

TEST(StatusJson, WhatIsNoUtf8IsReplaced) {
  v1::StatusResponse status;
  status.add_storages()->set_path("/data/\xff");
  EXPECT_EQ(Json::parse(StatusToJson(status, JsonLayout::kOneLine))["storages"][0]["path"], "/data/\xEF\xBF\xBD");
}

TEST(StatusJson, OneLineHasTheSameInOneLine) {
  const v1::StatusResponse status = FullStatus();
  const std::string line = StatusToJson(status, JsonLayout::kOneLine);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line), Json::parse(StatusToJson(status, JsonLayout::kIndented)));
}

}  // namespace
}  // namespace zrs::admin
