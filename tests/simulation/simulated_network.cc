#include "tests/simulation/simulated_network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/simulated_stream.h"

namespace zrs::simulation {

using transport::FollowerStream;
using transport::PublisherStream;

class SimulatedDialer : public transport::Dialer {
 public:
  SimulatedDialer(SimulatedNetwork& network, std::string node) : network_(network), node_(std::move(node)) {}

  std::shared_ptr<FollowerStream> Dial(const std::string& address) override {
    network_.Forget();
    ++network_.dials_;
    auto connection = std::make_shared<Connection>();
    connection->wire = std::make_shared<Wire>();
    connection->follower = std::make_shared<FollowerEndpoint>(network_, connection->wire, node_, address, true);
    connection->publisher = std::make_shared<PublisherEndpoint>(network_, connection->wire, address, node_, false);
    connection->follower->SetPeer(connection->publisher);
    connection->publisher->SetPeer(connection->follower);
    connection->follower->SetConnect([&network = network_, weak = std::weak_ptr<Connection>(connection)] {
      if (const auto alive = weak.lock()) network.Connect(alive);
    });
    network_.connections_.push_back(connection);
    return std::make_shared<StreamHandle<v1::FollowerMessage, v1::PublisherMessage>>(connection->follower);
  }

 private:
  SimulatedNetwork& network_;
  const std::string node_;
};

SimulatedNetwork::SimulatedNetwork(EventQueue& queue, NetworkObserver& observer, NetworkOptions options)
    : queue_(queue), observer_(observer), options_(options) {}

SimulatedNetwork::~SimulatedNetwork() = default;

void SimulatedNetwork::Listen(const std::string& node, Acceptor acceptor) { acceptors_[node] = std::move(acceptor); }

void SimulatedNetwork::StopListening(const std::string& node) { acceptors_.erase(node); }

std::unique_ptr<transport::Dialer> SimulatedNetwork::MakeDialer(const std::string& node) {
  return std::make_unique<SimulatedDialer>(*this, node);
}

void SimulatedNetwork::Connect(const std::shared_ptr<Connection>& connection) {
  const absl::Duration delay = queue_.random().Delay(options_.delay_least, options_.delay_most);
  queue_.Add(delay, [this, connection] { Answer(connection); });
}

void SimulatedNetwork::Answer(const std::shared_ptr<Connection>& connection) {
  const std::string& listener = connection->publisher->node();
  const auto refuse = [&connection](absl::string_view why, absl::Duration after) {
    connection->follower->Break(absl::UnavailableError(why), after);
    connection->publisher->Break(absl::UnavailableError(why), absl::ZeroDuration());
  };
  const auto blocked = blocked_until_.find(PairOf(connection->follower->node(), listener));
  if (blocked != blocked_until_.end() && blocked->second > queue_.now()) {
    // Some networks answer that there is no way, others say nothing.
    return refuse("no route to host (simulated)",
                  queue_.random().OneIn(2) ? absl::Milliseconds(1) : options_.keepalive);
  }
  if (connection->wire->cut || !acceptors_.contains(listener)) {
    return refuse("connection refused (simulated)", absl::ZeroDuration());
  }
  connection->publisher->AwaitFirstMessage(
      [this, weak = std::weak_ptr<PublisherEndpoint>(connection->publisher)](v1::FollowerMessage message) {
        const auto publisher = weak.lock();
        const auto acceptor = acceptors_.find(publisher->node());
        auto handle = std::make_shared<StreamHandle<v1::PublisherMessage, v1::FollowerMessage>>(publisher);
        if (acceptor == acceptors_.end() || !message.has_hello()) return;
        acceptor->second(std::move(handle), std::move(*message.mutable_hello()));
      });
  connection->follower->Opened();
}

void SimulatedNetwork::KillProcess(const std::string& node, bool host_too) {
  StopListening(node);
  const absl::Status reset = absl::UnavailableError("connection reset by peer (simulated)");
  for (const auto& connection : connections_) {
    const auto end = [&](auto& dying, auto& other) {
      if (dying->node() != node || dying->dead()) return;
      dying->Die();
      if (!host_too) return dying->SendReset(reset);
      connection->wire->cut = true;
      other->Break(reset, queue_.random().Delay(absl::Seconds(1), options_.keepalive));
    };
    end(connection->follower, connection->publisher);
    end(connection->publisher, connection->follower);
  }
}

void SimulatedNetwork::ReleaseProcess(const std::string& node) {
  for (const auto& connection : connections_) {
    if (connection->follower->node() == node && connection->follower->dead()) connection->follower->Release();
    if (connection->publisher->node() == node && connection->publisher->dead()) connection->publisher->Release();
  }
}

void SimulatedNetwork::Cut(const std::string& a, const std::string& b, bool half_open) {
  const absl::Status status = absl::UnavailableError("connection lost (simulated)");
  for (const auto& connection : connections_) {
    if (PairOf(connection->follower->node(), connection->publisher->node()) != PairOf(a, b)) continue;
    connection->wire->cut = true;
    absl::Duration follower_after = queue_.random().Delay(absl::ZeroDuration(), absl::Milliseconds(5));
    absl::Duration publisher_after = queue_.random().Delay(absl::ZeroDuration(), absl::Milliseconds(5));
    if (half_open) (queue_.random().OneIn(2) ? follower_after : publisher_after) += options_.keepalive;
    connection->follower->Break(status, follower_after);
    connection->publisher->Break(status, publisher_after);
  }
}

void SimulatedNetwork::Block(const std::string& a, const std::string& b, absl::Duration time) {
  blocked_until_[PairOf(a, b)] = queue_.now() + time;
}

void SimulatedNetwork::Unblock() { blocked_until_.clear(); }

void SimulatedNetwork::CorruptOnArrival(v1::PublisherMessage& message) {
  if (!corrupt_next_batch_ || !message.has_batch() || message.batch().data().empty()) return;
  corrupt_next_batch_ = false;
  std::string& data = *message.mutable_batch()->mutable_data();
  data[queue_.random().Below(data.size())] ^= static_cast<char>(1 << queue_.random().Below(8));
}

void SimulatedNetwork::Forget() {
  std::erase_if(connections_, [](const std::shared_ptr<Connection>& connection) {
    return connection->follower->over() && connection->publisher->over();
  });
}

}  // namespace zrs::simulation
