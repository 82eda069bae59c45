#include "tests/sidecar/transport/loopback.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace zrs::transport {

FindStorage FakeStorages::Finder() {
  return [this](const v1::Hello& hello) { return Find(hello.storage()); };
}

absl::StatusOr<AcceptStream> FakeStorages::Find(const std::string& name) {
  const bool only = name.empty() && names_.size() == 1;
  if (!only && std::find(names_.begin(), names_.end(), name) == names_.end()) {
    return absl::NotFoundError(absl::StrCat("no storage \"", name, "\" here; there is: ", absl::StrJoin(names_, ", ")));
  }
  const std::string found = only ? names_.front() : name;
  if (found == "not-ready") return absl::UnavailableError("still starting");
  return [this, found](std::shared_ptr<PublisherStream> stream, v1::Hello hello) {
    const std::lock_guard<std::mutex> lock(mutex_);
    accepted_.push_back({std::move(stream), std::move(hello), found});
    changed_.notify_all();
  };
}

Accepted FakeStorages::Next() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return !accepted_.empty(); })) return {};
  Accepted next = std::move(accepted_.front());
  accepted_.pop_front();
  return next;
}

size_t FakeStorages::waiting() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return accepted_.size();
}

SocketDirectory::SocketDirectory() {
  char pattern[] = "/tmp/zrs-transport-XXXXXX";
  path_ = mkdtemp(pattern);
}

SocketDirectory::~SocketDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<ReplicationServer> MustStart(const ServerOptions& options, FakeStorages& storages) {
  auto server = StartReplicationServer(options, storages.Finder());
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

std::string LoopbackAddress(const ReplicationServer& server) { return absl::StrCat("127.0.0.1:", server.port()); }

v1::FollowerMessage HelloMessage(const std::string& storage) {
  v1::FollowerMessage message;
  message.mutable_hello()->set_storage(storage);
  message.mutable_hello()->set_lowest_version(1);
  message.mutable_hello()->set_highest_version(1);
  return message;
}

v1::FollowerMessage AcknowledgeMessage(uint64_t offset) {
  v1::FollowerMessage message;
  message.mutable_acknowledge()->set_durable_offset(offset);
  return message;
}

v1::PublisherMessage BatchMessage(size_t size, char fill) {
  v1::PublisherMessage message;
  message.mutable_batch()->set_data(std::string(size, fill));
  return message;
}

Connection Connect(Dialer& dialer, const std::string& address, FakeStorages& storages, const std::string& storage) {
  Connection connection;
  connection.follower = dialer.Dial(address);
  connection.follower->Start(connection.follower_events);
  if (!connection.follower_events->WaitOpened()) return connection;
  connection.follower->Write(HelloMessage(storage));
  Accepted accepted = storages.Next();
  if (accepted.stream == nullptr || !connection.follower_events->WaitWritten(1)) return connection;
  connection.publisher = std::move(accepted.stream);
  connection.storage = accepted.storage;
  connection.hello = std::move(accepted.hello);
  connection.publisher->Start(connection.publisher_events);
  return connection;
}

}  // namespace zrs::transport
