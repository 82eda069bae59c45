// A follower session behind a file in memory, for its tests.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_FOLLOWER_SESSION_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_FOLLOWER_SESSION_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/follower_session.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {

class FollowerSessionTest : public ::testing::Test {
 protected:
  FollowerSessionTest() {
    file_.AddMany(20, 50);
    options_.node_id = Id('n');
    options_.queue_limit = 4000;
    options_.group_limit = 4000;
    options_.largest_batch = 1000;
  }

  v1::PublisherMessage Welcome(v1::Welcome::Decision decision, const filestorage::Boundary& start) const {
    v1::PublisherMessage message;
    v1::Welcome& welcome = *message.mutable_welcome();
    welcome.set_version(1);
    welcome.set_decision(decision);
    *welcome.mutable_lineage() = FirstLineage();
    welcome.set_magic("FS30");
    *welcome.mutable_start() = ToProto(start);
    welcome.set_committed_end(upstream_end_);
    return message;
  }

  // A follower that has sent its hello.
  FollowerDriver& Open(const Copy& copy) {
    driver_.emplace(options_, copy);
    driver_->Do(driver_->session.OnOpen());
    hello_ = driver_->Sent().hello();
    return *driver_;
  }

  // One that resumes behind `transaction`.
  FollowerDriver& Resume(size_t transaction) {
    upstream_end_ = std::max(upstream_end_, At(transaction).offset);
    FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(transaction)});
    driver.Receive(Welcome(v1::Welcome::DECISION_RESUME, At(transaction)));
    return driver;
  }

  // The next batch that the follower waits for, up to `end`.
  v1::PublisherMessage BatchUntil(uint64_t end) const {
    const uint64_t from = driver_->session.received_offset();
    filestorage::Boundary before = At(0);
    for (const filestorage::Boundary& boundary : file_.boundaries()) {
      if (boundary.offset <= from) before = boundary;
    }
    return BatchOf(file_.bytes(), from, end, before);
  }

  void ReceiveUntil(uint64_t end) { driver_->Receive(BatchUntil(end)); }

  void ExpectEnd(v1::End::Reason reason, const std::string& text = "") {
    EXPECT_EQ(driver_->session.state(), FollowerSession::State::kEnded);
    ASSERT_TRUE(driver_->session.end().has_value());
    EXPECT_EQ(driver_->session.end()->reason, reason) << driver_->session.end()->message;
    EXPECT_NE(driver_->session.end()->message.find(text), std::string::npos) << driver_->session.end()->message;
    EXPECT_FALSE(driver_->session.end()->by_publisher);
    EXPECT_FALSE(driver_->writing.has_value());
    const v1::FollowerMessage sent = driver_->Sent();
    ASSERT_TRUE(sent.has_end());
    EXPECT_EQ(sent.end().reason(), reason);
    EXPECT_FALSE(sent.end().remedy().empty());
    EXPECT_TRUE(driver_->closed);
  }

  const filestorage::Boundary& At(size_t transaction) const { return file_.boundaries()[transaction]; }

  tests::FileBuilder file_;
  FollowerOptions options_;
  uint64_t upstream_end_ = 4;
  std::optional<FollowerDriver> driver_;
  v1::Hello hello_;
};

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_FOLLOWER_SESSION_FIXTURE_H_
