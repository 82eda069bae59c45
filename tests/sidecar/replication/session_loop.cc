#include "tests/sidecar/replication/session_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/sidecar/replication/fixtures.h"

namespace zrs::replication {

SessionLoop::SessionLoop(uint64_t seed)
    : random_(seed), file_(seed % 2 == 0 ? filestorage::Magic::kFs30 : filestorage::Magic::kFs21) {
  const uint64_t transactions = Below(60);
  for (uint64_t i = 0; i < transactions; ++i) file_.AddMany(1, 1 + Below(OneIn(8) ? 5000 : 80));
  committed_transactions_ = Below(file_.boundaries().size());
  publisher_options_.batch_size = 1 + Below(OneIn(3) ? 50 : 2000);
  publisher_options_.read_ahead = static_cast<uint32_t>(1 + Below(4));
  follower_options_.node_id = Id('n');
  follower_options_.queue_limit = 1 + Below(OneIn(3) ? 100 : 4000);
  follower_options_.group_limit = 1 + Below(6000);
  follower_options_.largest_batch = publisher_options_.batch_size;
  channel_limit_ = 1 + Below(5);
}

void SessionLoop::RunWithFaults(int steps) {
  for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
    if (OneIn(100)) Fault();
    if (OneIn(20) && committed_transactions_ + 1 < file_.boundaries().size()) Commit();
    if (OneIn(20)) Beat();
    Step();
  }
}

void SessionLoop::Heal() {
  while (committed_transactions_ + 1 < file_.boundaries().size()) Commit();
  int steps = 0;
  while (Step() && !testing::Test::HasFatalFailure()) ASSERT_LT(++steps, 1000000) << "it does not come to rest";
}

std::vector<SessionLoop::Event> SessionLoop::Possible() const {
  if (publisher_ == nullptr) return {&SessionLoop::Connect};
  std::vector<Event> events;
  if (follower_->closed || publisher_->closed) events.push_back(&SessionLoop::Disconnect);
  if (!publisher_->reads.empty()) events.push_back(&SessionLoop::AnswerRead);
  if (publisher_->probe) events.push_back(&SessionLoop::AnswerProbe);
  if (publisher_->sending && to_follower_.size() < channel_limit_) events.push_back(&SessionLoop::TakeFromPublisher);
  if (follower_->sending && to_publisher_.size() < channel_limit_) events.push_back(&SessionLoop::TakeFromFollower);
  if (publisher_->receiving && !to_publisher_.empty()) events.push_back(&SessionLoop::DeliverToPublisher);
  if (follower_->receiving && !to_follower_.empty()) events.push_back(&SessionLoop::DeliverToFollower);
  if (follower_->creating) events.push_back(&SessionLoop::Create);
  if (follower_->writing) events.push_back(&SessionLoop::Write);
  return events;
}

bool SessionLoop::Step() {
  const std::vector<Event> events = Possible();
  if (events.empty()) return false;
  (this->*events[static_cast<size_t>(Below(events.size()))])();
  CheckCopy();
  return true;
}

void SessionLoop::Fault() {
  if (publisher_ == nullptr) return;
  const uint64_t kind = Below(5);
  if (kind == 0) {
    Disconnect();
  } else if (kind == 1 && !to_follower_.empty() && to_follower_.front().has_batch()) {
    std::string& data = *to_follower_.front().mutable_batch()->mutable_data();
    data[static_cast<size_t>(Below(data.size()))] ^= static_cast<char>(1 + Below(255));
  } else if (kind == 2 && follower_->writing) {
    follower_->Written(absl::ResourceExhaustedError("disk full"));
  } else if (kind == 3) {
    publisher_->Do(publisher_->session.OnEnd(v1::End::REASON_SHUTDOWN, "the publisher stops", "none"));
  } else if (kind == 4) {
    follower_->Do(follower_->session.OnStop());
  }
}

// At every instant a prefix, tail included: what is checked is written, and nothing else.
void SessionLoop::CheckCopy() {
  ASSERT_EQ(file_.bytes().compare(0, copy_.size(), copy_), 0) << "what is written is no prefix of the primary's file";
  ASSERT_LE(committed_.offset, file_.boundaries()[committed_transactions_].offset);
  if (follower_ != nullptr && follower_->session.durable().offset != 0) {
    ASSERT_EQ(follower_->session.durable(), committed_);
  }
}

void SessionLoop::Connect() {
  const filestorage::Boundary& end = file_.boundaries()[committed_transactions_];
  publisher_ = std::make_unique<PublisherDriver>(publisher_options_, Publication{FirstLineage(), file_.magic(), end});
  publisher_->receiving = true;
  Copy copy{adopted_, std::nullopt, committed_};
  if (committed_.offset != 0) copy.magic = file_.magic();
  follower_ = std::make_unique<FollowerDriver>(follower_options_, std::move(copy));
  follower_->Do(follower_->session.OnOpen());
  ++connections_;
}

// As an owner does: a write under way is waited for, then the tail is cut.
void SessionLoop::Disconnect() {
  if (follower_->creating) Create();
  if (follower_->writing) Write();
  publisher_.reset();
  follower_.reset();
  to_follower_.clear();
  to_publisher_.clear();
  following_.clear();
  copy_.resize(static_cast<size_t>(committed_.offset));
}

void SessionLoop::Commit() {
  ++committed_transactions_;
  if (publisher_ == nullptr) return;
  publisher_->Do(publisher_->session.OnCommittedEnd(file_.boundaries()[committed_transactions_]));
}

void SessionLoop::Beat() {
  if (publisher_ == nullptr) return;
  publisher_->Do(
      publisher_->session.OnHeartbeat(HeartbeatOf(file_.boundaries()[committed_transactions_].offset, {Id('p')})));
}

void SessionLoop::AnswerRead() {
  const auto read = publisher_->reads.begin() + static_cast<std::ptrdiff_t>(Below(publisher_->reads.size()));
  const ReadBytes asked = *read;
  publisher_->reads.erase(read);
  publisher_->Do(publisher_->session.OnBytes(
      asked.offset, file_.bytes().substr(static_cast<size_t>(asked.offset), static_cast<size_t>(asked.size))));
}

void SessionLoop::AnswerProbe() {
  const filestorage::Boundary asked = *std::exchange(publisher_->probe, std::nullopt);
  const std::vector<filestorage::Boundary>& all = file_.boundaries();
  publisher_->Do(publisher_->session.OnProbed(std::find(all.begin(), all.end(), asked) != all.end()));
}

void SessionLoop::TakeFromPublisher() { to_follower_.push_back(publisher_->Sent()); }

void SessionLoop::TakeFromFollower() { to_publisher_.push_back(follower_->Sent()); }

void SessionLoop::DeliverToPublisher() {
  const v1::FollowerMessage message = to_publisher_.front();
  to_publisher_.pop_front();
  publisher_->Receive(message);
}

void SessionLoop::DeliverToFollower() {
  v1::PublisherMessage message = std::move(to_follower_.front());
  to_follower_.pop_front();
  follower_->Receive(std::move(message));
}

void SessionLoop::Create() {
  const CreateCopy create = *std::exchange(follower_->creating, std::nullopt);
  adopted_ = create.lineage;
  copy_ = std::string(filestorage::MagicBytes(create.magic));
  committed_ = filestorage::FirstBoundary(create.magic);
  follower_->Do(follower_->session.OnCreated(absl::OkStatus()));
}

void SessionLoop::Write() {
  const WriteGroup& group = *follower_->writing;
  for (const std::string& piece : group.pieces) {
    ASSERT_FALSE(piece.empty());
    const size_t known = std::min(following_.size(), piece.size());
    ASSERT_EQ(piece.substr(0, known), following_.substr(0, known)) << "not what the last commit said would follow";
    following_.erase(0, known);
    copy_ += piece;
  }
  if (group.commit) {
    ASSERT_EQ(group.commit->offset, copy_.size()) << "a commit that is not at the tail's end";
    ASSERT_LE(group.following.size(), filestorage::kTransactionHeaderSize);
    committed_ = *group.commit;
    following_ = group.following;
  }
  follower_->Written();
}

}  // namespace zrs::replication
