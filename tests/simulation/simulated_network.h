// The network between simulated processes: streams with delays, flow control and cuts, and refused connects.
#ifndef ZRS_TESTS_SIMULATION_SIMULATED_NETWORK_H_
#define ZRS_TESTS_SIMULATION_SIMULATED_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/transport/message_stream.h"
#include "tests/simulation/event_queue.h"

namespace zrs::simulation {

struct NetworkOptions {
  // Each message is on its way for a time between these; the messages of a direction stay in order.
  absl::Duration delay_least = absl::Microseconds(50);
  absl::Duration delay_most = absl::Milliseconds(3);
  // Bytes that a direction takes before the receiver has read them; a larger message travels alone.
  uint64_t window = 256 << 10;
  // How long at most a side does not notice that its peer's host, or the way there, is gone.
  absl::Duration keepalive = absl::Seconds(20);
  // A Close that the peer does not answer for so long tears the stream down.
  absl::Duration close_timeout = absl::Seconds(5);
  // Makes followers acknowledge what they have received instead of what is durable: a broken program, for the tests of
  // the simulation itself.
  bool acknowledge_early = false;
  // The same of publishers that take what a follower has received for durable there.
  bool count_received = false;
  // The same of followers that look at several publishers and take the generations of all for their own.
  bool ignore_generations = false;
  // The same of primaries that have lost their state and ask nobody which database they are.
  bool ask_nobody = false;
  // The same of followers that go on to follow whatever database is there, where it has what they have last.
  bool ignore_databases = false;
};

// Sees each message at the moment its sender hands it over. `node` is the sender, `peer` who is to get it.
class NetworkObserver {
 public:
  virtual ~NetworkObserver() = default;
  virtual void OnPublisherSends(const std::string& node, const v1::PublisherMessage& message) = 0;
  virtual void OnFollowerSends(const std::string& node, const std::string& peer,
                               const v1::FollowerMessage& message) = 0;
  // Before `node` gets it from `peer`. `look`: on a stream that only asks what it would be answered.
  virtual void OnFollowerReceives(const std::string& /*node*/, const std::string& /*peer*/, bool /*look*/,
                                  const v1::PublisherMessage& /*message*/) {}
  // The user of a stream did not keep to the contract in message_stream.h.
  virtual void OnMisuse(const std::string& node, const std::string& what) = 0;
};

struct Connection;

// Nodes are known by their names, and a node's name is the address it listens on. A node has one process at a time.
// `queue` and `observer` outlive it; it outlives the processes, their dialers and streams.
class SimulatedNetwork {
 public:
  using Acceptor = std::function<void(std::shared_ptr<transport::PublisherStream>, v1::Hello)>;

  SimulatedNetwork(EventQueue& queue, NetworkObserver& observer, NetworkOptions options);
  ~SimulatedNetwork();

  // `node` accepts streams, each once its Hello has arrived, until StopListening or KillProcess.
  void Listen(const std::string& node, Acceptor acceptor);
  void StopListening(const std::string& node);
  std::unique_ptr<transport::Dialer> MakeDialer(const std::string& node);

  // The process at `node` is gone: its streams tell it nothing any more. Its peers notice soon (its kernel resets the
  // connections) or, when the host went with it, after the keepalive time.
  void KillProcess(const std::string& node, bool host_too);
  // Lets go of what the killed process of `node` gave to its streams. Not from inside its code.
  void ReleaseProcess(const std::string& node);

  // Breaks the streams between two nodes: what is on its way is lost. `half_open`: one side, by chance, notices only
  // after up to the keepalive time.
  void Cut(const std::string& a, const std::string& b, bool half_open);
  // Refuses new streams between two nodes for so long from now.
  void Block(const std::string& a, const std::string& b, absl::Duration time);
  void Unblock();
  // One bit of the next batch that arrives anywhere is another.
  void CorruptNextBatch() { corrupt_next_batch_ = true; }

  // Streams that were asked for so far.
  uint64_t dials() const { return dials_; }

  // For streams (simulated_stream.h).
  EventQueue& queue() { return queue_; }
  NetworkObserver& observer() { return observer_; }
  const NetworkOptions& options() const { return options_; }
  void Connect(const std::shared_ptr<Connection>& connection);
  void CorruptOnArrival(v1::PublisherMessage& message);
  void CorruptOnArrival(v1::FollowerMessage& /*message*/) {}
  // What `node` said last of what it publishes; for ignore_databases.
  v1::Lineage& published(const std::string& node) { return published_[node]; }

 private:
  friend class SimulatedDialer;

  using Pair = std::pair<std::string, std::string>;
  static Pair PairOf(const std::string& a, const std::string& b) { return a < b ? Pair(a, b) : Pair(b, a); }
  void Forget();
  void Answer(const std::shared_ptr<Connection>& connection);

  EventQueue& queue_;
  NetworkObserver& observer_;
  const NetworkOptions options_;
  std::map<std::string, Acceptor> acceptors_;
  std::map<Pair, absl::Duration> blocked_until_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::map<std::string, v1::Lineage> published_;
  bool corrupt_next_batch_ = false;
  uint64_t dials_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SIMULATED_NETWORK_H_
