#include "sidecar/storage/publisher/refuse_stream.h"

#include <mutex>
#include <utility>

namespace zrs::storage {
namespace {

// Holds the stream until it is closed: the stream holds these events meanwhile, and the circle breaks in OnClosed.
class Refusal final : public transport::PublisherEvents {
 public:
  explicit Refusal(std::shared_ptr<transport::PublisherStream> stream) : stream_(std::move(stream)) {}

  void OnOpen() override {}
  void OnMessage(v1::FollowerMessage) override {}
  void OnWritten() override {
    if (auto stream = Held()) stream->Close();
  }
  void OnClosed(absl::Status) override {
    // Let go outside the lock: the stream's destructor is not ours.
    std::shared_ptr<transport::PublisherStream> released;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      released.swap(stream_);
    }
  }

 private:
  std::shared_ptr<transport::PublisherStream> Held() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stream_;
  }

  std::mutex mutex_;
  std::shared_ptr<transport::PublisherStream> stream_;  // guarded by mutex_
};

}  // namespace

void RefuseStream(std::shared_ptr<transport::PublisherStream> stream, v1::End end) {
  stream->Start(std::make_shared<Refusal>(stream));
  v1::PublisherMessage message;
  *message.mutable_end() = std::move(end);
  stream->Write(std::move(message));
}

}  // namespace zrs::storage
