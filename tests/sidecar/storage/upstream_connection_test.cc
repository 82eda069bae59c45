// A stream that takes nothing more does not keep its storage from stopping.
#include "sidecar/storage/secondary/upstream_connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/simulated_runtime.h"

namespace zrs::storage {
namespace {

// Established, and then silent: no write is ever taken, and only a cancellation ends it.
class StuckStream final : public transport::FollowerStream {
 public:
  void Start(std::shared_ptr<transport::FollowerEvents> events) override {
    events_ = std::move(events);
    events_->OnOpen();
  }
  void Write(v1::FollowerMessage) override {}
  void Read() override {}
  void Close() override {}
  void Cancel() override {
    if (events_) std::exchange(events_, nullptr)->OnClosed(absl::CancelledError("cancelled"));
  }
  std::string peer() const override { return "stuck"; }

 private:
  std::shared_ptr<transport::FollowerEvents> events_;
};

TEST(UpstreamConnectionTest, IsTornDownWhereWhatItSaysLastIsNotTaken) {
  simulation::EventQueue queue(1);
  simulation::SimulatedRuntime runtime(queue, {});
  int closed = 0;
  UpstreamConnection::Hooks hooks;
  hooks.changed = [] {};
  hooks.closed = [&closed](const absl::Status&) { ++closed; };
  replication::FollowerOptions options;
  options.node_id = std::string(16, 'n');
  const auto connection =
      std::make_shared<UpstreamConnection>(runtime, std::move(options), replication::Copy{}, absl::Seconds(1),
                                           std::make_shared<StuckStream>(), std::move(hooks));
  runtime.Post([connection] { connection->Start(); });
  queue.RunUntil(queue.now() + absl::Seconds(1), [] { return false; });
  runtime.Post([connection] { connection->Stop(absl::Seconds(2)); });
  queue.RunUntil(queue.now() + absl::Seconds(1), [] { return false; });
  EXPECT_EQ(closed, 0) << "it has its grace";
  queue.RunUntil(queue.now() + absl::Seconds(2), [] { return false; });
  EXPECT_EQ(closed, 1);
}

}  // namespace
}  // namespace zrs::storage
