// A server with storages that keep what they accept for the test to use, and a dialer.
#ifndef ZRS_TESTS_SIDECAR_TRANSPORT_LOOPBACK_H_
#define ZRS_TESTS_SIDECAR_TRANSPORT_LOOPBACK_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sidecar/transport/grpc_dialer.h"
#include "sidecar/transport/replication_server.h"
#include "tests/sidecar/transport/recorder.h"

namespace zrs::transport {

struct Accepted {
  std::shared_ptr<PublisherStream> stream;
  v1::Hello hello;
  std::string storage;
};

// Thread-safe. Names are fixed; "" finds the only one.
class FakeStorages {
 public:
  explicit FakeStorages(std::vector<std::string> names) : names_(std::move(names)) {}
  FindStorage Finder();
  // Waits for the next stream; its `stream` is null where none came.
  Accepted Next();
  size_t waiting() const;

 private:
  absl::StatusOr<AcceptStream> Find(const std::string& name);

  const std::vector<std::string> names_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Accepted> accepted_;
};

// A directory of the test's own, short enough for a socket in it; removed with what is in it.
class SocketDirectory {
 public:
  SocketDirectory();
  ~SocketDirectory();
  SocketDirectory(const SocketDirectory&) = delete;
  SocketDirectory& operator=(const SocketDirectory&) = delete;
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Fails the test, and returns null, where it cannot be started.
std::unique_ptr<ReplicationServer> MustStart(const ServerOptions& options, FakeStorages& storages);

// Where a server with port 0 on the IPv4 loopback is found.
std::string LoopbackAddress(const ReplicationServer& server);

v1::FollowerMessage HelloMessage(const std::string& storage);
v1::FollowerMessage AcknowledgeMessage(uint64_t offset);
v1::PublisherMessage BatchMessage(size_t size, char fill = 'x');

// Both ends of one stream.
struct Connection {
  std::shared_ptr<FollowerStream> follower;
  std::shared_ptr<FollowerRecorder> follower_events = std::make_shared<FollowerRecorder>();
  std::shared_ptr<PublisherStream> publisher;
  std::shared_ptr<PublisherRecorder> publisher_events = std::make_shared<PublisherRecorder>();
  std::string storage;
  v1::Hello hello;
};

// Dials, says hello, and starts the accepted stream. `publisher` is null where that fails.
Connection Connect(Dialer& dialer, const std::string& address, FakeStorages& storages, const std::string& storage = "");

}  // namespace zrs::transport

#endif  // ZRS_TESTS_SIDECAR_TRANSPORT_LOOPBACK_H_
