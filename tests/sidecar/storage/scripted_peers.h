// Peers that say what a test has them say, to a storage on a machine.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_SCRIPTED_PEERS_H_
#define ZRS_TESTS_SIDECAR_STORAGE_SCRIPTED_PEERS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/transport/message_stream.h"
#include "tests/simulation/simulated_network.h"

namespace zrs::storage {

// One stream that says whatever `next` answers, as soon as it can say something, and nothing more once that is nothing.
// It reads all that comes.
template <typename Out, typename In>
class ScriptedStream final : public transport::StreamEvents<In> {
 public:
  using Stream = transport::MessageStream<Out, In>;
  using Next = std::function<std::optional<Out>()>;

  static std::shared_ptr<ScriptedStream> Start(std::shared_ptr<Stream> stream, Next next) {
    auto self = std::make_shared<ScriptedStream>(std::move(stream), std::move(next));
    self->stream_->Start(self);
    return self;
  }
  ScriptedStream(std::shared_ptr<Stream> stream, Next next) : stream_(std::move(stream)), next_(std::move(next)) {}

  void OnOpen() override {
    stream_->Read();
    Say();
  }
  void OnMessage(In message) override {
    received.push_back(std::move(message));
    stream_->Read();
  }
  void OnWritten() override { Say(); }
  void OnClosed(absl::Status) override { closed = true; }
  void Cancel() { stream_->Cancel(); }

  std::vector<In> received;
  bool closed = false;

 private:
  void Say() {
    if (std::optional<Out> message = next_()) stream_->Write(*std::move(message));
  }

  const std::shared_ptr<Stream> stream_;
  const Next next_;
};

// Each of `messages` once.
template <typename Out>
std::function<std::optional<Out>()> InTurn(std::vector<Out> messages) {
  return [messages = std::move(messages), next = size_t{0}]() mutable -> std::optional<Out> {
    if (next == messages.size()) return std::nullopt;
    return messages[next++];
  };
}

// Answers every stream to `name` by a script that is made from its hello. While it lives, no machine of that name may
// be running.
class ScriptedPublisher {
 public:
  using Script = ScriptedStream<v1::PublisherMessage, v1::FollowerMessage>;
  using MakeScript = std::function<Script::Next(const v1::Hello& hello)>;

  ScriptedPublisher(simulation::SimulatedNetwork& network, std::string name, MakeScript make)
      : network_(network), name_(std::move(name)) {
    network_.Listen(name_, [this, make = std::move(make)](std::shared_ptr<transport::PublisherStream> stream,
                                                          const v1::Hello& hello) {
      streams_.push_back(Script::Start(std::move(stream), make(hello)));
    });
  }
  ~ScriptedPublisher() { network_.StopListening(name_); }
  ScriptedPublisher(const ScriptedPublisher&) = delete;
  ScriptedPublisher& operator=(const ScriptedPublisher&) = delete;

  // All that there were, the first first.
  const std::vector<std::shared_ptr<Script>>& streams() const { return streams_; }

 private:
  simulation::SimulatedNetwork& network_;
  const std::string name_;
  std::vector<std::shared_ptr<Script>> streams_;
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_SCRIPTED_PEERS_H_
