#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sidecar/transport/stream_core.h"
#include "tests/sidecar/transport/stream_core_fixture.h"

namespace zrs::transport {
namespace {

TEST_F(ServerCoreTest, IsOpenAtOnce) {
  stream_->Start(events_);
  EXPECT_EQ(events_->opened(), 1u);
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
}

TEST_F(ServerCoreTest, ThePeersHalfCloseIsAnsweredWithTheEnd) {
  stream_->Start(events_);
  stream_->Read();
  core_->OnWireReadEnd();
  EXPECT_EQ(wire_.Take(), (Calls{"read", "timer 5s", "end OK"}));
  stream_->Write("too late");
  EXPECT_EQ(wire_.Take(), Calls{});
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
  EXPECT_TRUE(events_->status().ok());
}

TEST_F(ServerCoreTest, ThePeersHalfCloseWaitsForTheOutstandingWrite) {
  stream_->Start(events_);
  stream_->Read();
  stream_->Write("a");
  core_->OnWireReadEnd();
  EXPECT_EQ(wire_.Take(), (Calls{"read", "write a", "timer 5s"}));
  core_->OnWireWritten(true);
  EXPECT_EQ(wire_.Take(), (Calls{"end OK"}));
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
}

TEST_F(ServerCoreTest, ABrokenCallIsEndedOnceItsWriteIsAnswered) {
  stream_->Start(events_);
  stream_->Write("a");
  wire_.Take();
  core_->OnWireOver();
  EXPECT_EQ(wire_.Take(), Calls{});
  core_->OnWireWritten(false);
  EXPECT_EQ(wire_.Take(), (Calls{"end OK"}));
  core_->OnWireDone(absl::UnavailableError("gone"));
  EXPECT_TRUE(absl::IsUnavailable(events_->status()));
  EXPECT_EQ(events_->written(), 0u);
}

TEST_F(ServerCoreTest, AMalformedMessageIsAnsweredWithItsReason) {
  stream_->Start(events_);
  stream_->Read();
  wire_.Take();
  core_->OnWireMalformed(absl::InvalidArgumentError("garbage"));
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "end INVALID_ARGUMENT"}));
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
  EXPECT_EQ(events_->status(), absl::InvalidArgumentError("garbage"));
}

TEST_F(ServerCoreTest, ClosesBehindALastMessage) {
  core_->Close(absl::PermissionDeniedError("no"), "last");
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "write last"}));
  core_->OnWireWritten(true);
  EXPECT_EQ(wire_.Take(), (Calls{"end PERMISSION_DENIED"}));
  core_->OnWireOver();
  EXPECT_EQ(wire_.Take(), (Calls{"stop"}));
  core_->OnWireDone(absl::OkStatus());
}

TEST_F(ServerCoreTest, ACloseThatThePeerDoesNotTakeIsTornDown) {
  stream_->Start(events_);
  stream_->Write("stalled");
  stream_->Close();
  wire_.Take();
  core_->OnWireTimer(wire_.timer);
  EXPECT_EQ(wire_.Take(), (Calls{"cancel"}));
  core_->OnWireOver();
  core_->OnWireWritten(false);
  EXPECT_EQ(wire_.Take(), (Calls{"end CANCELLED"}));
  core_->OnWireDone(absl::UnavailableError("gone"));
  EXPECT_EQ(events_->status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ServerCoreTest, CloseAfterClosesWhenItsTimeHasCome) {
  core_->CloseAfter(absl::Seconds(3), absl::DeadlineExceededError("late"), "last");
  EXPECT_EQ(wire_.Take(), (Calls{"timer 3s"}));
  core_->OnWireTimer(wire_.timer);
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "write last"}));
  core_->OnWireWritten(true);
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
  stream_->Start(events_);
  EXPECT_EQ(events_->status(), absl::DeadlineExceededError("late"));
}

// What the greeter does: takes the first message, then hands the stream over.
class Handover final : public StreamEvents<std::string> {
 public:
  Handover(std::shared_ptr<Core> core, std::shared_ptr<Events> next) : core_(std::move(core)), next_(std::move(next)) {}
  void OnOpen() override { core_->Read(); }
  void OnMessage(std::string) override {
    core_->Release();
    if (next_) core_->Start(next_);
  }
  void OnWritten() override {}
  void OnClosed(absl::Status) override { FAIL() << "the stream was released"; }

 private:
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Events> next_;
};

TEST_F(ServerCoreTest, AReleasedStreamIsStartedAgainFromWithinAnEvent) {
  core_->CloseAfter(absl::Seconds(3), absl::DeadlineExceededError("late"), "last");
  core_->Start(std::make_shared<Handover>(core_, events_));
  core_->OnWireMessage("hello");
  EXPECT_EQ(wire_.Take(), (Calls{"timer 3s", "read", "stop"}));
  EXPECT_EQ(events_->opened(), 1u);
  EXPECT_EQ(events_->messages(), Calls{});
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
  EXPECT_TRUE(events_->status().ok());
}

TEST_F(ServerCoreTest, AnEndBetweenReleaseAndStartIsToldByStart) {
  core_->Start(std::make_shared<Handover>(core_, nullptr));
  core_->OnWireMessage("hello");
  core_->OnWireOver();
  core_->OnWireDone(absl::UnavailableError("gone"));
  stream_->Start(events_);
  EXPECT_TRUE(absl::IsUnavailable(events_->status()));
  EXPECT_EQ(events_->closed(), 1u);
  EXPECT_EQ(events_->opened(), 0u);
}

TEST_F(ServerCoreTest, AStreamThatNobodyStartsIsClosedWhenItIsDropped) {
  stream_.reset();
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "end OK"}));
  core_->OnWireOver();
  core_->OnWireDone(absl::OkStatus());
}

TEST_F(ServerCoreTest, ACallThatBrokeBeforeItWasLookedAtIsNotUsed) {
  const auto early = std::make_shared<Core>(StreamCoreOptions{.side = StreamSide::kServer}, "early");
  early->OnWireOver();
  EXPECT_FALSE(early->Attach(&wire_));
  EXPECT_EQ(wire_.Take(), Calls{});
}

}  // namespace
}  // namespace zrs::transport
