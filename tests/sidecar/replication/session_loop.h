// A publisher session and a follower session joined by a network in memory, with a seeded schedule and faults.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_SESSION_LOOP_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_SESSION_LOOP_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "filestorage/boundary.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/replication/publisher_session.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {

// The primary's file grows by whole transactions; the follower's file is a model of what an appender makes. Every step
// is one event of those that can happen now, taken at random.
class SessionLoop {
 public:
  explicit SessionLoop(uint64_t seed);

  // Makes up to `steps` steps with faults: lost connections, failed writes, damaged batches, stops.
  void RunWithFaults(int steps);
  // Commits all there is, makes no more faults, and goes on until nothing can happen any more.
  void Heal();

  const std::string& primary() const { return file_.bytes(); }
  const std::string& copy() const { return copy_; }
  uint64_t committed() const { return committed_.offset; }
  const PublisherSession* publisher() const { return publisher_ ? &publisher_->session : nullptr; }
  const FollowerSession* follower() const { return follower_ ? &follower_->session : nullptr; }
  int connections() const { return connections_; }

 private:
  using Event = void (SessionLoop::*)();

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  // The events that can happen now.
  std::vector<Event> Possible() const;
  bool Step();
  void Fault();
  void CheckCopy();

  void Connect();
  void Disconnect();
  void Commit();
  void Beat();
  void AnswerRead();
  void AnswerProbe();
  void TakeFromPublisher();
  void TakeFromFollower();
  void DeliverToPublisher();
  void DeliverToFollower();
  void Create();
  void Write();

  std::mt19937_64 random_;
  tests::FileBuilder file_;
  size_t committed_transactions_ = 0;
  PublisherOptions publisher_options_;
  FollowerOptions follower_options_;
  size_t channel_limit_;  // messages on their way

  std::unique_ptr<PublisherDriver> publisher_;
  std::unique_ptr<FollowerDriver> follower_;
  std::deque<v1::PublisherMessage> to_follower_;
  std::deque<v1::FollowerMessage> to_publisher_;

  std::string copy_;                 // the follower's file, uncommitted tail included
  filestorage::Boundary committed_;  // in it
  std::string following_;            // what a commit said would follow
  v1::Lineage adopted_;
  int connections_ = 0;
};

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_SESSION_LOOP_H_
