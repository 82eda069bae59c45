// Malformed messages to a follower: each ends the stream, and nothing of it is written.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/replication/heartbeat_message.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/follower_session_fixture.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

class FollowerProtocolTest : public FollowerSessionTest {
 protected:
  // Resumes behind the 7th transaction and receives `message`, which must be refused with a text that has `text`.
  void ExpectRefused(const v1::PublisherMessage& message, const std::string& text) {
    driver_->Receive(message);
    ExpectEnd(v1::End::REASON_PROTOCOL, text);
  }
};

TEST_F(FollowerProtocolTest, BatchBeforeTheWelcome) {
  Open({FirstLineage(), file_.magic(), At(7)});
  ExpectRefused(BatchOf(file_.bytes(), At(7).offset, At(8).offset, At(7)), "before the welcome");
}

TEST_F(FollowerProtocolTest, HeartbeatBeforeTheWelcome) {
  Open({FirstLineage(), file_.magic(), At(7)});
  v1::PublisherMessage message;
  *message.mutable_heartbeat() = HeartbeatOf(100, {Id('p')});
  ExpectRefused(message, "before the welcome");
}

TEST_F(FollowerProtocolTest, EmptyMessageInPlaceOfTheWelcome) {
  Open({FirstLineage(), file_.magic(), At(7)});
  ExpectRefused({}, "unknown kind");
}

TEST_F(FollowerProtocolTest, SecondWelcome) {
  Resume(7);
  ExpectRefused(Welcome(v1::Welcome::DECISION_RESUME, At(7)), "second welcome");
}

TEST_F(FollowerProtocolTest, MessageOfUnknownKind) {
  Resume(7);
  ExpectRefused({}, "unknown kind");
}

TEST_F(FollowerProtocolTest, BatchThatLeavesAGap) {
  Resume(7);
  ExpectRefused(BatchOf(file_.bytes(), At(8).offset, At(9).offset, At(8)), "due is a batch at offset");
}

TEST_F(FollowerProtocolTest, BatchThatIsRepeated) {
  Resume(7);
  ExpectRefused(BatchOf(file_.bytes(), At(6).offset, At(7).offset, At(6)), "due is a batch at offset");
}

TEST_F(FollowerProtocolTest, EmptyBatch) {
  Resume(7);
  ExpectRefused(BatchUntil(At(7).offset), "empty");
}

TEST_F(FollowerProtocolTest, BatchLargerThanAllowed) {
  Resume(7);
  ExpectRefused(BatchUntil(At(7).offset + 1001), "1001 bytes, more than 1000");
}

TEST_F(FollowerProtocolTest, BatchWithOneBitFlippedOnTheWay) {
  Resume(7);
  v1::PublisherMessage message = BatchUntil(At(8).offset);
  (*message.mutable_batch()->mutable_data())[40] ^= 1;
  ExpectRefused(message, "damaged on the way");
}

TEST_F(FollowerProtocolTest, BatchWithDigestOfOtherSize) {
  Resume(7);
  v1::PublisherMessage message = BatchUntil(At(8).offset);
  message.mutable_batch()->set_digest("short");
  ExpectRefused(message, "malformed batch");
}

TEST_F(FollowerProtocolTest, BatchWithMalformedPredecessor) {
  Resume(7);
  v1::PublisherMessage message = BatchUntil(At(8).offset);
  message.mutable_batch()->mutable_predecessor()->set_digest("short");
  ExpectRefused(message, "digest of 5 bytes");
}

TEST_F(FollowerProtocolTest, BatchWithoutPredecessor) {
  Resume(7);
  v1::PublisherMessage message = BatchUntil(At(8).offset);
  message.mutable_batch()->clear_predecessor();
  ExpectRefused(message, "it follows a transaction that ends at no file");
}

TEST_F(FollowerProtocolTest, BatchBehindAnotherTransaction) {
  Resume(7);
  ExpectRefused(BatchOf(file_.bytes(), At(7).offset, At(8).offset, At(6)), DescribePosition(At(6)));
}

TEST_F(FollowerProtocolTest, BatchBehindATransactionWithAnotherDigest) {
  Resume(7);
  Boundary other = At(7);
  other.digest.low ^= 1;
  ExpectRefused(BatchOf(file_.bytes(), At(7).offset, At(8).offset, other), other.digest.ToHex());
}

TEST_F(FollowerProtocolTest, BatchWithUnsoundBytes) {
  Resume(7);
  std::string corrupt = file_.bytes();
  corrupt[At(8).offset - 1] ^= 1;
  ExpectRefused(BatchOf(corrupt, At(7).offset, At(9).offset, At(7)), "unsound bytes at offset");
}

TEST_F(FollowerProtocolTest, BatchWithAnUncommittedTransaction) {
  Resume(7);
  std::string changed = file_.bytes();
  changed[At(7).offset + 16] = 'c';
  ExpectRefused(BatchOf(changed, At(7).offset, At(8).offset, At(7)), "not committed");
}

TEST_F(FollowerProtocolTest, HeartbeatWithoutPath) {
  Resume(7);
  v1::PublisherMessage message;
  *message.mutable_heartbeat() = HeartbeatOf(100, {});
  ExpectRefused(message, "without a path");
}

TEST_F(FollowerProtocolTest, HeartbeatWithEndlessPath) {
  Resume(7);
  v1::PublisherMessage message;
  *message.mutable_heartbeat() = HeartbeatOf(100, std::vector<std::string>(kLongestPath + 1, Id('p')));
  ExpectRefused(message, "passed 65 nodes");
}

}  // namespace
}  // namespace zrs::replication
