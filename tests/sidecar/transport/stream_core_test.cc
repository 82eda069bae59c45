#include "sidecar/transport/stream_core.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/sidecar/transport/recorder.h"

namespace zrs::transport {
namespace {

// Notes what it is asked for; the test answers.
class FakeWire final : public Wire<std::string> {
 public:
  void Begin() override { calls.push_back("begin"); }
  void StartWrite(const std::string& message) override { calls.push_back("write " + message); }
  void StartRead() override { calls.push_back("read"); }
  void EndSending(const absl::Status& status) override {
    calls.push_back("end " + absl::StatusCodeToString(status.code()));
  }
  void Cancel() override { calls.push_back("cancel"); }
  void StartTimer(absl::Duration delay, uint64_t id) override {
    calls.push_back("timer " + absl::FormatDuration(delay));
    timer = id;
  }
  void StopTimer() override { calls.push_back("stop"); }

  // What was asked for since the last time.
  std::vector<std::string> Take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;
  uint64_t timer = 0;
};

using Calls = std::vector<std::string>;
using Core = StreamCore<std::string, std::string>;
using Stream = CoreStream<std::string, std::string>;
using Events = Recorder<std::string>;

class StreamCoreTest : public ::testing::Test {
 protected:
  explicit StreamCoreTest(StreamSide side)
      : core_(std::make_shared<Core>(
            StreamCoreOptions{.side = side, .open_timeout = absl::Seconds(10), .close_timeout = absl::Seconds(5)},
            "peer")) {}
  ~StreamCoreTest() override { EXPECT_EQ(events_->violations(), 0u); }

  FakeWire wire_;
  std::shared_ptr<Core> core_;
  std::shared_ptr<Events> events_ = std::make_shared<Events>();
};

class ClientCoreTest : public StreamCoreTest {
 protected:
  ClientCoreTest() : StreamCoreTest(StreamSide::kClient) {}

  void Open() {
    stream_->Start(events_);
    core_->OnWireOpen();
    wire_.Take();
  }
  // As a network does that is through with a call: everything outstanding is answered, then it goes.
  void Finish(absl::Status status) {
    core_->OnWireOver();
    core_->OnWireDone(std::move(status));
  }

  std::shared_ptr<Stream> stream_ =
      std::make_shared<Stream>(core_, [this](const std::shared_ptr<Core>& core) { core->Attach(&wire_); });
};

class ServerCoreTest : public StreamCoreTest {
 protected:
  ServerCoreTest() : StreamCoreTest(StreamSide::kServer) {
    core_->Attach(&wire_);
    wire_.Take();
  }
  std::shared_ptr<Stream> stream_ = std::make_shared<Stream>(core_);
};

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
