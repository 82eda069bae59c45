// Connections that cannot be made, and what is not obeyed on the way.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/sidecar/transport/loopback.h"

namespace zrs::transport {
namespace {

// A TCP port of the loopback; with a backlog it takes connections, and says nothing on them.
class SilentPort {
 public:
  explicit SilentPort(bool listening) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    EXPECT_TRUE(!listening || listen(fd_, 8) == 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~SilentPort() { close(fd_); }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

void ExpectCannotConnect(Dialer& dialer, const std::string& address, const std::string& cause) {
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer.Dial(address);
  EXPECT_EQ(stream->peer(), address);
  stream->Start(events);
  ASSERT_TRUE(events->WaitClosed());
  EXPECT_TRUE(absl::IsUnavailable(events->status())) << events->status();
  EXPECT_NE(events->status().message().find(address), std::string::npos) << events->status();
  EXPECT_NE(events->status().message().find(cause), std::string::npos) << events->status();
  EXPECT_EQ(events->opened(), 0u);
  EXPECT_EQ(events->violations(), 0u);
}

TEST(DialerTest, ARefusedConnectionIsToldAtOnce) {
  const SilentPort port(false);
  ExpectCannotConnect(*MakeGrpcDialer({.connect_timeout = absl::Hours(1)}), port.address(), "refused");
}

TEST(DialerTest, ASocketThatIsNotThere) {
  const SocketDirectory directory;
  ExpectCannotConnect(*MakeGrpcDialer({.connect_timeout = absl::Hours(1)}), directory.Path("none.sock"),
                      "No such file or directory");
}

TEST(DialerTest, AHostThatTakesConnectionsAndSaysNothing) {
  const SilentPort port(true);
  ExpectCannotConnect(*MakeGrpcDialer({.connect_timeout = absl::Milliseconds(300)}), port.address(), "");
}

TEST(DialerTest, AHostThatHasNoSuchName) {
  ExpectCannotConnect(*MakeGrpcDialer({.connect_timeout = absl::Seconds(2)}), "no-such-host.invalid:8100", "");
}

TEST(DialerTest, AnAddressThatIsNoneIsAnInvalidArgument) {
  const auto events = std::make_shared<FollowerRecorder>();
  MakeGrpcDialer()->Dial("nonsense")->Start(events);
  ASSERT_TRUE(events->WaitClosed());
  EXPECT_TRUE(absl::IsInvalidArgument(events->status())) << events->status();
}

TEST(DialerTest, ConnectsOnceTheServerIsThere) {
  FakeStorages storages({"one"});
  const SocketDirectory directory;
  const std::string path = directory.Path("zrs.sock");
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  ExpectCannotConnect(*dialer, path, "");
  // The failed attempt holds nothing back: there is no pause of gRPC's own before the next.
  const auto server = MustStart({.address = path}, storages);
  EXPECT_NE(Connect(*dialer, path, storages).publisher, nullptr);
}

TEST(DialerTest, HasNoThreadBeforeTheFirstConnection) {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = threads();
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  const auto stream = dialer->Dial("127.0.0.1:1");
  EXPECT_LE(threads(), before);
}

TEST(DialerTest, CancelWhileConnecting) {
  const SilentPort port(true);
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer({.connect_timeout = absl::Hours(1)});
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer->Dial(port.address());
  stream->Start(events);
  stream->Cancel();
  ASSERT_TRUE(events->WaitClosed());
  EXPECT_EQ(events->status().code(), absl::StatusCode::kCancelled) << events->status();
}

TEST(DialerTest, CloseWhileConnectingIsTornDownInTime) {
  const SilentPort port(true);
  const std::unique_ptr<Dialer> dialer =
      MakeGrpcDialer({.connect_timeout = absl::Hours(1), .close_timeout = absl::Milliseconds(50)});
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer->Dial(port.address());
  stream->Start(events);
  stream->Close();
  ASSERT_TRUE(events->WaitClosed());
  EXPECT_EQ(events->status().code(), absl::StatusCode::kDeadlineExceeded) << events->status();
}

TEST(DialerTest, DestroyingTheDialerEndsAnAttempt) {
  const SilentPort port(true);
  std::unique_ptr<Dialer> dialer = MakeGrpcDialer({.connect_timeout = absl::Hours(1)});
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer->Dial(port.address());
  stream->Start(events);
  dialer.reset();
  EXPECT_EQ(events->closed(), 1u);
}

TEST(DialerTest, ProxiesOfTheEnvironmentAreNotObeyed) {
  const SilentPort dead(false);
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"}) {
    setenv(name, absl::StrCat("http://", dead.address()).c_str(), 1);
  }
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  FakeStorages storages({"one"});
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages);
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  Connection connection = Connect(*dialer, LoopbackAddress(*server), storages);
  EXPECT_NE(connection.publisher, nullptr) << connection.follower_events->status();
}

}  // namespace
}  // namespace zrs::transport
