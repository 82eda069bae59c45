// How fast batches go from a publisher's stream to a follower's over loopback, by their size; and how long a message
// and its answer take on a stream that has been idle. Two processes, as in life, or one (--one-process).
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "sidecar/transport/grpc_dialer.h"
#include "sidecar/transport/replication_server.h"

namespace zrs::transport {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string address = "127.0.0.1:0";
  std::vector<uint64_t> sizes = {64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20};
  double gigabytes = 2;
  int runs = 3;
  int round_trips = 0;
  int idle_ms = 700;
  bool one_process = false;
  int threads = 1;
};

// Sends batches of one size as fast as the stream takes them, then closes. Answers acknowledgements by heartbeats where
// the size is 0.
class BatchSender final : public PublisherEvents {
 public:
  BatchSender(std::shared_ptr<PublisherStream> stream, uint64_t size, uint64_t count)
      : stream_(std::move(stream)), count_(count), data_(size, 'z') {}

  void OnOpen() override {
    stream_->Read();
    if (!data_.empty()) Send();
  }
  void OnMessage(v1::FollowerMessage) override {
    v1::PublisherMessage message;
    message.mutable_heartbeat()->set_committed_end(1);
    stream_->Write(std::move(message));
    stream_->Read();
  }
  void OnWritten() override {
    if (!data_.empty()) Send();
  }
  void OnClosed(absl::Status) override { stream_.reset(); }

 private:
  void Send() {
    if (count_ == 0) return stream_->Close();
    count_--;
    v1::PublisherMessage message;
    message.mutable_batch()->set_offset(offset_);
    message.mutable_batch()->set_data(data_);  // as a read from the file would fill it
    message.mutable_batch()->set_digest(std::string(16, 'd'));
    offset_ += data_.size();
    stream_->Write(std::move(message));
  }

  std::shared_ptr<PublisherStream> stream_;
  uint64_t count_;
  uint64_t offset_ = 4;
  const std::string data_;
};

// The storage's name says what to send: "SIZE COUNT".
absl::StatusOr<AcceptStream> FindSender(const v1::Hello& hello) {
  return [name = hello.storage()](std::shared_ptr<PublisherStream> stream, const v1::Hello&) {
    unsigned long long size = 0;
    unsigned long long count = 0;
    if (std::sscanf(name.c_str(), "%llu %llu", &size, &count) != 2) return;
    stream->Start(std::make_shared<BatchSender>(stream, size, count));
  };
}

std::unique_ptr<ReplicationServer> StartServer(const Options& options) {
  auto server = StartReplicationServer({.address = options.address, .threads = options.threads}, FindSender);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(server);
}

class Receiver final : public FollowerEvents {
 public:
  Receiver(std::shared_ptr<FollowerStream> stream, std::string storage)
      : stream_(std::move(stream)), storage_(std::move(storage)) {}

  void OnOpen() override {
    v1::FollowerMessage message;
    message.mutable_hello()->set_storage(storage_);
    stream_->Write(std::move(message));
    stream_->Read();
  }
  void OnMessage(v1::PublisherMessage message) override {
    bytes_ += message.batch().data().size();
    stream_->Read();
  }
  void OnWritten() override {}
  void OnClosed(absl::Status status) override {
    stream_.reset();
    done_.set_value(std::move(status));
  }
  // Bytes received until the publisher closed.
  uint64_t Wait() {
    const absl::Status status = done_.get_future().get();
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return bytes_;
  }

 private:
  std::shared_ptr<FollowerStream> stream_;
  const std::string storage_;
  uint64_t bytes_ = 0;
  std::promise<absl::Status> done_;
};

double MegabytesPerSecond(Dialer& dialer, const std::string& address, uint64_t size, uint64_t total) {
  const uint64_t count = total / size;
  const auto stream = dialer.Dial(address);
  const auto receiver = std::make_shared<Receiver>(stream, absl::StrCat(size, " ", count));
  const Clock::time_point start = Clock::now();
  stream->Start(receiver);
  const uint64_t bytes = receiver->Wait();
  const std::chrono::duration<double> took = Clock::now() - start;
  if (bytes != size * count) std::fprintf(stderr, "only %llu bytes came\n", static_cast<unsigned long long>(bytes));
  return static_cast<double>(bytes) / 1e6 / took.count();
}

class Pinger final : public FollowerEvents {
 public:
  explicit Pinger(std::shared_ptr<FollowerStream> stream) : stream_(std::move(stream)) {}
  void OnOpen() override {
    v1::FollowerMessage message;
    message.mutable_hello()->set_storage("0 0");
    stream_->Write(std::move(message));
  }
  void OnMessage(v1::PublisherMessage) override { answered_.set_value(); }
  void OnWritten() override {
    if (!std::exchange(greeted_, true)) ready_.set_value();
  }
  void OnClosed(absl::Status) override { stream_.reset(); }
  void WaitReady() { ready_.get_future().wait(); }
  double RoundTripMs() {
    answered_ = std::promise<void>();
    const Clock::time_point start = Clock::now();
    stream_->Read();
    v1::FollowerMessage message;
    message.mutable_acknowledge()->set_durable_offset(1);
    stream_->Write(std::move(message));
    answered_.get_future().wait();
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

 private:
  std::shared_ptr<FollowerStream> stream_;
  bool greeted_ = false;
  std::promise<void> ready_;
  std::promise<void> answered_;
};

void PrintRoundTrips(Dialer& dialer, const std::string& address, const Options& options) {
  const auto stream = dialer.Dial(address);
  const auto pinger = std::make_shared<Pinger>(stream);
  stream->Start(pinger);
  pinger->WaitReady();
  std::vector<double> took;
  for (int i = 0; i < options.round_trips; i++) {
    // Around the whole seconds, where gRPC's own threads fall asleep.
    std::this_thread::sleep_for(std::chrono::milliseconds(options.idle_ms + i * 37 % (options.idle_ms + 1)));
    took.push_back(pinger->RoundTripMs());
  }
  stream->Close();
  std::sort(took.begin(), took.end());
  std::printf("round trip after %d to %d ms idle: median %.2f ms, largest %.2f ms\n", options.idle_ms,
              2 * options.idle_ms, took[took.size() / 2], took.back());
}

void RunFollower(const std::string& address, const Options& options) {
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer({.threads = options.threads});
  const auto total = static_cast<uint64_t>(options.gigabytes * 1e9);
  for (const uint64_t size : options.sizes) {
    std::vector<double> rates;
    for (int run = 0; run < options.runs; run++) {
      rates.push_back(MegabytesPerSecond(*dialer, address, size, total));
    }
    std::sort(rates.begin(), rates.end());
    std::printf("%5llu KiB  median %6.0f MB/s  (%.0f to %.0f)\n", static_cast<unsigned long long>(size >> 10),
                rates[rates.size() / 2], rates.front(), rates.back());
    std::fflush(stdout);
  }
  if (options.round_trips > 0) PrintRoundTrips(*dialer, address, options);
}

std::string ServedAddress(const Options& options, int port) {
  return port == 0 ? options.address : absl::StrCat("127.0.0.1:", port);
}

// The publisher: tells its port, serves until its parent kills it.
[[noreturn]] void RunPublisher(const Options& options, int pipe_fd) {
  const std::unique_ptr<ReplicationServer> server = StartServer(options);
  const int port = server->port();
  if (write(pipe_fd, &port, sizeof(port)) != sizeof(port)) std::exit(1);
  while (true) pause();
}

int RunTwoProcesses(const Options& options) {
  int pipe_fds[2];
  if (pipe(pipe_fds) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) RunPublisher(options, pipe_fds[1]);
  close(pipe_fds[1]);
  int port = 0;
  if (child < 0 || read(pipe_fds[0], &port, sizeof(port)) != sizeof(port)) return 1;
  RunFollower(ServedAddress(options, port), options);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Throughput of the transport over loopback");
  app.add_option("--address", options.address, "where the publisher listens: host:port or a socket's path");
  app.add_option("--sizes", options.sizes, "bytes of each batch, e.g. 64k,256k,1M")
      ->delimiter(',')
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--gigabytes", options.gigabytes, "to send for each measurement, 10^9 bytes");
  app.add_option("--runs", options.runs, "measurements for each size");
  app.add_option("--round-trips", options.round_trips, "messages to time on an idle stream");
  app.add_option("--idle-ms", options.idle_ms, "least time between two of them");
  app.add_option("--threads", options.threads, "completion threads on either side");
  app.add_flag("--one-process", options.one_process, "publisher and follower in one process");
  CLI11_PARSE(app, argc, argv);
  if (!options.one_process) return RunTwoProcesses(options);
  const std::unique_ptr<ReplicationServer> server = StartServer(options);
  RunFollower(ServedAddress(options, server->port()), options);
  return 0;
}

}  // namespace
}  // namespace zrs::transport

int main(int argc, char** argv) { return zrs::transport::Main(argc, argv); }
