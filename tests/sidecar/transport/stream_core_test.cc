#include "sidecar/transport/stream_core.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "tests/sidecar/transport/stream_core_fixture.h"

namespace zrs::transport {
namespace {

TEST_F(ClientCoreTest, OpensWhenTheWireDoes) {
  stream_->Start(events_);
  EXPECT_EQ(wire_.Take(), (Calls{"begin", "timer 10s"}));
  EXPECT_EQ(events_->opened(), 0u);
  core_->OnWireOpen();
  EXPECT_EQ(wire_.Take(), (Calls{"stop"}));
  EXPECT_EQ(events_->opened(), 1u);
}

TEST_F(ClientCoreTest, IsClosedAsUnavailableWhenTheWireDoesNotOpenInTime) {
  stream_->Start(events_);
  core_->OnWireTimer(wire_.timer);
  EXPECT_EQ(wire_.Take(), (Calls{"begin", "timer 10s", "cancel"}));
  Finish(absl::CancelledError("by the network"));
  EXPECT_TRUE(absl::IsUnavailable(events_->status())) << events_->status();
  EXPECT_NE(events_->status().message().find("cannot connect to peer"), std::string::npos) << events_->status();
  EXPECT_EQ(events_->opened(), 0u);
}

TEST_F(ClientCoreTest, ATimerThatWasStoppedTooLateDoesNothing) {
  stream_->Start(events_);
  const uint64_t late = wire_.timer;
  core_->OnWireOpen();
  wire_.Take();
  core_->OnWireTimer(late);
  EXPECT_EQ(wire_.Take(), Calls{});
  Finish(absl::OkStatus());
}

TEST_F(ClientCoreTest, MessagesPass) {
  Open();
  stream_->Write("a");
  stream_->Read();
  EXPECT_EQ(wire_.Take(), (Calls{"write a", "read"}));
  EXPECT_EQ(events_->written(), 0u);
  core_->OnWireWritten(true);
  EXPECT_EQ(events_->written(), 1u);
  core_->OnWireMessage("b");
  EXPECT_EQ(events_->messages(), (Calls{"b"}));
  EXPECT_EQ(wire_.Take(), Calls{}) << "nothing is read that was not asked for";
  Finish(absl::OkStatus());
  EXPECT_TRUE(events_->status().ok());
}

TEST_F(ClientCoreTest, AWriteBeforeTheOpeningWaitsForIt) {
  stream_->Start(events_);
  stream_->Write("a");
  wire_.Take();
  core_->OnWireOpen();
  EXPECT_EQ(wire_.Take(), (Calls{"stop", "write a"}));
  core_->OnWireWritten(true);
  Finish(absl::OkStatus());
}

TEST_F(ClientCoreTest, CloseWaitsForTheOutstandingWrite) {
  Open();
  stream_->Write("a");
  stream_->Close();
  EXPECT_EQ(wire_.Take(), (Calls{"write a", "timer 5s", "read"}));
  core_->OnWireWritten(true);
  EXPECT_EQ(wire_.Take(), (Calls{"end OK"}));
  EXPECT_EQ(events_->closed(), 0u);
  core_->OnWireReadEnd();
  Finish(absl::OkStatus());
  EXPECT_TRUE(events_->status().ok());
  EXPECT_EQ(events_->written(), 0u) << "after Close only OnClosed comes";
}

TEST_F(ClientCoreTest, CloseReadsWhatTheServerStillSendsAndKeepsItToItself) {
  Open();
  stream_->Close();
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "end OK", "read"}));
  core_->OnWireMessage("late");
  EXPECT_EQ(wire_.Take(), (Calls{"read"}));
  core_->OnWireReadEnd();
  EXPECT_EQ(wire_.Take(), Calls{});
  Finish(absl::OkStatus());
  EXPECT_EQ(events_->messages(), Calls{});
}

TEST_F(ClientCoreTest, ACloseThatIsNotAnsweredTearsTheStreamDown) {
  Open();
  stream_->Close();
  wire_.Take();
  core_->OnWireTimer(wire_.timer);
  EXPECT_EQ(wire_.Take(), (Calls{"cancel"}));
  core_->OnWireReadEnd();
  Finish(absl::CancelledError("by the network"));
  EXPECT_EQ(events_->status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientCoreTest, CancelTearsTheStreamDownAndSaysSo) {
  Open();
  stream_->Write("a");
  stream_->Read();
  wire_.Take();
  stream_->Cancel();
  stream_->Cancel();
  EXPECT_EQ(wire_.Take(), (Calls{"cancel"}));
  core_->OnWireWritten(false);
  core_->OnWireReadEnd();
  Finish(absl::UnknownError("by the network"));
  EXPECT_EQ(events_->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(events_->closed(), 1u);
}

TEST_F(ClientCoreTest, WritesReadsAndClosesAfterTheEndAreIgnored) {
  Open();
  Finish(absl::UnavailableError("gone"));
  stream_->Write("a");
  stream_->Write("b");
  stream_->Read();
  stream_->Close();
  stream_->Cancel();
  stream_.reset();
  EXPECT_EQ(wire_.Take(), Calls{});
  EXPECT_TRUE(absl::IsUnavailable(events_->status()));
}

TEST_F(ClientCoreTest, AMessageThatTheEndOvertookIsStillDelivered) {
  Open();
  stream_->Read();
  core_->OnWireOver();
  core_->OnWireMessage("last");
  core_->OnWireDone(absl::OkStatus());
  EXPECT_EQ(events_->messages(), (Calls{"last"}));
  EXPECT_TRUE(events_->status().ok());
}

TEST_F(ClientCoreTest, AMalformedMessageEndsIt) {
  Open();
  stream_->Read();
  wire_.Take();
  core_->OnWireMalformed(absl::InvalidArgumentError("garbage"));
  EXPECT_EQ(wire_.Take(), (Calls{"cancel"}));
  Finish(absl::CancelledError("by the network"));
  EXPECT_EQ(events_->status(), absl::InvalidArgumentError("garbage"));
}

TEST_F(ClientCoreTest, DroppingTheStreamClosesIt) {
  Open();
  stream_.reset();
  EXPECT_EQ(wire_.Take(), (Calls{"timer 5s", "end OK", "read"}));
  core_->OnWireReadEnd();
  Finish(absl::OkStatus());
  EXPECT_EQ(events_->closed(), 1u);
}

TEST_F(ClientCoreTest, TheStreamMayBeDroppedFromWithinItsLastEvent) {
  auto dropping = std::make_shared<Events>([this] { stream_.reset(); });
  stream_->Start(dropping);
  core_->OnWireOpen();
  const std::weak_ptr<Core> weak = core_;
  Finish(absl::OkStatus());
  core_.reset();
  EXPECT_EQ(dropping->closed(), 1u);
  EXPECT_TRUE(weak.expired());
}

TEST_F(ClientCoreTest, LetsGoOfTheEventsWhenClosed) {
  const std::weak_ptr<Events> weak = events_;
  Open();
  Finish(absl::OkStatus());
  events_ = std::make_shared<Events>();
  EXPECT_TRUE(weak.expired());
}

TEST_F(ClientCoreTest, ClosedBeforeItWasStarted) {
  stream_->Cancel();
  EXPECT_FALSE(core_->Attach(&wire_));
  EXPECT_EQ(wire_.Take(), Calls{});
  core_->OnWireDone(absl::OkStatus());
  core_->Start(events_);
  EXPECT_EQ(events_->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(events_->opened(), 0u);
}

TEST_F(ClientCoreTest, AWriteBeforeOnWrittenIsABugOfTheCaller) {
  Open();
  stream_->Write("a");
#ifdef NDEBUG
  stream_->Write("b");
  core_->OnWireWritten(false);
  Finish(absl::CancelledError("by the network"));
  EXPECT_EQ(events_->status().code(), absl::StatusCode::kInternal);
#else
  EXPECT_DEATH(stream_->Write("b"), "OnWritten");
  Finish(absl::OkStatus());
#endif
}

}  // namespace
}  // namespace zrs::transport
