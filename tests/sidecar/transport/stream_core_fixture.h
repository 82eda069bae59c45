// Stream cores on a wire that only notes what it is asked for.
#ifndef ZRS_TESTS_SIDECAR_TRANSPORT_STREAM_CORE_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_TRANSPORT_STREAM_CORE_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sidecar/transport/stream_core.h"
#include "tests/sidecar/transport/recorder.h"

namespace zrs::transport {

// Notes what it is asked for; the test answers.
class FakeWire final : public Wire<std::string> {
 public:
  void Begin() override { calls.push_back("begin"); }
  void StartWrite(std::string message) override { calls.push_back("write " + message); }
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

}  // namespace zrs::transport

#endif  // ZRS_TESTS_SIDECAR_TRANSPORT_STREAM_CORE_FIXTURE_H_
