// Whom the server lets in, and how it starts and stops.
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/stat.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "sidecar/transport/replication_server.h"
#include "tests/sidecar/transport/loopback.h"

namespace zrs::transport {
namespace {

// An IPv4 address of this host that is not on the loopback; empty where there is none.
std::string OtherAddress() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET || (each->ifa_flags & IFF_LOOPBACK) != 0) {
      continue;
    }
    char host[NI_MAXHOST];
    if (getnameinfo(each->ifa_addr, sizeof(sockaddr_in), host, sizeof(host), nullptr, 0, NI_NUMERICHOST) == 0) {
      return host;
    }
  }
  return "";
}

class ServerTest : public ::testing::Test {
 protected:
  // Dials, sends `message`, reads once, and waits for the end.
  std::shared_ptr<FollowerRecorder> Ask(const std::string& address, const v1::FollowerMessage& message) {
    auto events = std::make_shared<FollowerRecorder>();
    const std::shared_ptr<FollowerStream> stream = dialer_->Dial(address);
    stream->Start(events);
    if (events->WaitOpened()) {
      stream->Write(message);
      stream->Read();
    }
    EXPECT_TRUE(events->WaitClosed());
    EXPECT_EQ(events->violations(), 0u);
    return events;
  }
  static v1::End TheEnd(const FollowerRecorder& events) {
    const auto messages = events.messages();
    EXPECT_EQ(messages.size(), 1u);
    return messages.empty() ? v1::End() : messages[0].end();
  }
  static bool Mentions(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
  }

  SocketDirectory directory_;
  FakeStorages storages_{{"one", "two", "not-ready"}};
  std::unique_ptr<Dialer> dialer_ = MakeGrpcDialer();
};

TEST_F(ServerTest, TwoStoragesOnOneAddress) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  Connection one = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  Connection two = Connect(*dialer_, LoopbackAddress(*server), storages_, "two");
  EXPECT_EQ(one.storage, "one");
  EXPECT_EQ(two.storage, "two");
  two.publisher->Write(BatchMessage(2));
  two.follower->Read();
  EXPECT_TRUE(two.follower_events->WaitMessages(1));
  EXPECT_EQ(one.follower_events->messages().size(), 0u);
}

TEST_F(ServerTest, UnknownStorageIsToldWhichThereAre) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  const auto events = Ask(LoopbackAddress(*server), HelloMessage("three"));
  EXPECT_EQ(TheEnd(*events).reason(), v1::End::REASON_NO_SUCH_STORAGE);
  EXPECT_TRUE(Mentions(TheEnd(*events).message(), "one, two")) << TheEnd(*events).message();
  EXPECT_TRUE(Mentions(TheEnd(*events).remedy(), "source-name")) << TheEnd(*events).remedy();
  EXPECT_TRUE(events->status().ok()) << events->status();
}

TEST_F(ServerTest, AStorageThatIsNotReadySaysSo) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  const auto events = Ask(LoopbackAddress(*server), HelloMessage("not-ready"));
  EXPECT_EQ(TheEnd(*events).reason(), v1::End::REASON_NOT_READY);
  EXPECT_TRUE(events->status().ok()) << events->status();
}

TEST_F(ServerTest, AFirstMessageThatIsNoHelloIsRefused) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  const auto events = Ask(LoopbackAddress(*server), AcknowledgeMessage(1));
  EXPECT_EQ(TheEnd(*events).reason(), v1::End::REASON_PROTOCOL);
  EXPECT_TRUE(absl::IsInvalidArgument(events->status())) << events->status();
  EXPECT_EQ(storages_.waiting(), 0u);
}

TEST_F(ServerTest, AStreamWithoutHelloIsClosedInTime) {
  const auto server = MustStart({.address = "127.0.0.1:0", .hello_timeout = absl::Milliseconds(50)}, storages_);
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer_->Dial(LoopbackAddress(*server));
  stream->Start(events);
  ASSERT_TRUE(events->WaitOpened());
  stream->Read();
  ASSERT_TRUE(events->WaitClosed());
  EXPECT_EQ(TheEnd(*events).reason(), v1::End::REASON_PROTOCOL);
  EXPECT_EQ(events->status().code(), absl::StatusCode::kDeadlineExceeded) << events->status();
}

TEST_F(ServerTest, ProtectedModeRefusesPeersOfOtherHostsAndNamesTheRemedies) {
  std::promise<std::pair<std::string, std::string>> noted;
  const auto server = MustStart({.address = "127.0.0.1:0",
                                 .is_local = [](const std::string&) { return false; },
                                 .on_refused =
                                     [&](const std::string& message, const std::string& remedy) {
                                       noted.set_value({message, remedy});
                                     }},
                                storages_);
  const auto events = Ask(LoopbackAddress(*server), HelloMessage("one"));
  const v1::End end = TheEnd(*events);
  EXPECT_EQ(noted.get_future().get(), std::make_pair(end.message(), end.remedy()));
  EXPECT_EQ(end.reason(), v1::End::REASON_REFUSED);
  EXPECT_TRUE(Mentions(end.message(), " 127.0.0.1 is not")) << end.message();
  EXPECT_TRUE(Mentions(end.remedy(), "insecure true")) << end.remedy();
  EXPECT_TRUE(Mentions(end.remedy(), "tunnel")) << end.remedy();
  EXPECT_TRUE(Mentions(end.remedy(), "Unix socket")) << end.remedy();
  EXPECT_TRUE(absl::IsPermissionDenied(events->status())) << events->status();
  EXPECT_EQ(storages_.waiting(), 0u);
}

TEST_F(ServerTest, ProtectedModeTellsRealAddressesApart) {
  const std::string other = OtherAddress();
  if (other.empty()) GTEST_SKIP() << "this host has no address but the loopback's";
  const auto server = MustStart({.address = "0"}, storages_);
  const auto refused = Ask(absl::StrCat(other, ":", server->port()), HelloMessage("one"));
  EXPECT_EQ(TheEnd(*refused).reason(), v1::End::REASON_REFUSED);
  Connection local = Connect(*dialer_, absl::StrCat(server->port()), storages_, "one");
  EXPECT_NE(local.publisher, nullptr) << local.follower_events->status();
}

TEST_F(ServerTest, InsecureLetsEverybodyIn) {
  const auto server = MustStart(
      {.address = "127.0.0.1:0", .insecure = true, .is_local = [](const std::string&) { return false; }}, storages_);
  Connection connection = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  EXPECT_NE(connection.publisher, nullptr);
}

TEST_F(ServerTest, StreamsAreBounded) {
  const auto server = MustStart({.address = "127.0.0.1:0", .max_streams = 2}, storages_);
  const std::string address = LoopbackAddress(*server);
  Connection first = Connect(*dialer_, address, storages_, "one");
  {
    Connection second = Connect(*dialer_, address, storages_, "one");
    ASSERT_NE(second.publisher, nullptr);
    const auto third = Ask(address, HelloMessage("one"));
    EXPECT_EQ(TheEnd(*third).reason(), v1::End::REASON_REFUSED);
    EXPECT_TRUE(absl::IsResourceExhausted(third->status())) << third->status();
    second.publisher->Close();
    ASSERT_TRUE(second.publisher_events->WaitClosed());
  }
  ASSERT_NE(first.publisher, nullptr);
}

TEST_F(ServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  const std::string address = LoopbackAddress(*server);
  const auto second = StartReplicationServer({.address = address}, storages_.Finder());
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  EXPECT_TRUE(Mentions(std::string(second.status().message()), address)) << second.status();
  EXPECT_TRUE(Mentions(std::string(second.status().message()), "in use")) << second.status();
}

TEST_F(ServerTest, AnAddressIsFreeAgainWhenTheServerIsGone) {
  auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  const std::string address = LoopbackAddress(*server);
  Connection connection = Connect(*dialer_, address, storages_, "one");
  server.reset();
  server = MustStart({.address = address}, storages_);
  Connection again = Connect(*dialer_, address, storages_, "one");
  EXPECT_NE(again.publisher, nullptr);
}

TEST_F(ServerTest, SocketInUse) {
  const std::string path = directory_.Path("zrs.sock");
  const auto server = MustStart({.address = path}, storages_);
  EXPECT_EQ(server->port(), 0);
  const auto second = StartReplicationServer({.address = path}, storages_.Finder());
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  Connection connection = Connect(*dialer_, path, storages_, "one");
  EXPECT_NE(connection.publisher, nullptr) << "the first is not disturbed";
}

TEST_F(ServerTest, TheSocketsFileIsRemovedInTheEnd) {
  const std::string path = directory_.Path("zrs.sock");
  MustStart({.address = path}, storages_).reset();
  struct stat info {};
  EXPECT_NE(lstat(path.c_str(), &info), 0);
}

TEST_F(ServerTest, ASocketsPathMayHaveAnyCharacters) {
  const std::string path = directory_.Path("a b%20?#[é].sock");
  const auto server = MustStart({.address = path}, storages_);
  struct stat info {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << "the file has that very name";
  Connection connection = Connect(*dialer_, path, storages_, "one");
  EXPECT_NE(connection.publisher, nullptr) << connection.follower_events->status();
}

TEST_F(ServerTest, ShutdownLetsStreamsCloseByThemselves) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  Connection connection = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  server->Shutdown(absl::InfiniteDuration());
  connection.publisher->Write(BatchMessage(100));
  connection.follower->Read();
  ASSERT_TRUE(connection.follower_events->WaitMessages(1));
  connection.publisher->Close();
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_TRUE(connection.follower_events->status().ok()) << connection.follower_events->status();
}

TEST_F(ServerTest, ShutdownRefusesNewStreams) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  Connection present = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  server->Shutdown(absl::InfiniteDuration());
  const auto events = Ask(LoopbackAddress(*server), HelloMessage("one"));
  EXPECT_EQ(TheEnd(*events).reason(), v1::End::REASON_SHUTDOWN);
  EXPECT_EQ(present.follower_events->closed(), 0u);
}

TEST_F(ServerTest, ShutdownTearsDownAtItsDeadline) {
  const auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  Connection connection = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  server->Shutdown(absl::InfiniteDuration());
  server->Shutdown(absl::Milliseconds(20));
  EXPECT_TRUE(connection.publisher_events->WaitClosed());
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_FALSE(connection.follower_events->status().ok());
}

TEST_F(ServerTest, ShutdownDoesNotWaitForALaterDeadline) {
  auto server = MustStart({.address = "127.0.0.1:0"}, storages_);
  Connection connection = Connect(*dialer_, LoopbackAddress(*server), storages_, "one");
  server->Shutdown(absl::InfiniteDuration());
  server.reset();
  EXPECT_EQ(connection.publisher_events->closed(), 1u);
}

}  // namespace
}  // namespace zrs::transport
