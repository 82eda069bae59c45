#include "sidecar/transport/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sidecar/transport/listen_socket.h"
#include "tests/sidecar/transport/loopback.h"
#include "tests/support/captured_log.h"

namespace zrs::transport {
namespace {

constexpr rlim_t kLimit = 64;
constexpr int kReserved = 8;

// The test's own limit of descriptors, and files that take them.
class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{kLimit, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

  // Leaves so many.
  void TakeAllBut(int count) {
    for (;;) {
      Descriptor taken(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (taken.get() < 0 || taken.get() >= static_cast<int>(kLimit) - count) return;
      taken_.push_back(std::move(taken));
    }
  }
  void Free() { taken_.clear(); }

 private:
  rlimit before_{};
  std::vector<Descriptor> taken_;
};

class Peer {
 public:
  explicit Peer(std::string path) : path_(std::move(path)), fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  void Connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  // Within `patience`.
  bool IsClosed(std::chrono::milliseconds patience) {
    pollfd closed{fd_.get(), POLLIN, 0};
    return poll(&closed, 1, static_cast<int>(patience.count())) == 1;
  }

 private:
  const std::string path_;
  const Descriptor fd_;
};

class AcceptorTest : public ::testing::Test {
 protected:
  void Start(Reserve reserve = Reserve::kWhole,
             std::function<void(const std::string&, const std::string&)> on_turned_away = nullptr) {
    sockets_ = *Listen(path_);
    acceptor_ = std::make_unique<Acceptor>(AcceptorOptions{.address = path_,
                                                           .reserve = reserve,
                                                           .retry = absl::Milliseconds(10),
                                                           .quiet = absl::ZeroDuration(),
                                                           .on_turned_away = std::move(on_turned_away)},
                                           std::move(sockets_.sockets), [this](int fd) {
                                             close(fd);
                                             const std::lock_guard<std::mutex> lock(mutex_);
                                             taken_++;
                                             changed_.notify_all();
                                           });
  }
  // Whether so many are taken within `patience`.
  bool WaitTaken(int count, std::chrono::milliseconds patience = kPatience) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return taken_ >= count; }) && taken_ == count;
  }
  static void ExpectTurnedAway(Peer& one, Peer& two) {
    one.Connect();
    two.Connect();
    EXPECT_TRUE(one.IsClosed(kPatience));
    EXPECT_TRUE(two.IsClosed(kPatience));
  }
  // What was logged until now; the acceptor ends.
  std::string Log() {
    acceptor_.reset();
    return log_.text();
  }
  static size_t Count(const std::string& text, const std::string& what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) count++;
    return count;
  }

  tests::CapturedLog log_;
  SocketDirectory directory_;
  const std::string path_ = directory_.Path("zrs.sock");
  ListenSockets sockets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int taken_ = 0;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, HandsOnWhoConnects) {
  Start();
  Peer one(path_);
  Peer two(path_);
  one.Connect();
  two.Connect();
  EXPECT_TRUE(WaitTaken(2));
  EXPECT_EQ(Log(), "");
}

TEST_F(AcceptorTest, WhoWouldTakeWhatIsReservedIsTurnedAway) {
  FewDescriptors descriptors;
  Start();
  Peer one(path_);
  Peer two(path_);
  descriptors.TakeAllBut(kReserved);
  ExpectTurnedAway(one, two);
  descriptors.Free();
  Peer(path_).Connect();
  EXPECT_TRUE(WaitTaken(1));
  const std::string log = Log();
  EXPECT_EQ(Count(log, "warning: " + path_ + ": connections are turned away: of the 64 files"), 1u) << log;
  EXPECT_EQ(Count(log, "LimitNOFILE="), 1u) << log;
  EXPECT_EQ(Count(log, "accepted again"), 1u) << log;
}

TEST_F(AcceptorTest, WhoWantsToKnowIsToldInTheLogsStead) {
  FewDescriptors descriptors;
  std::string told;  // by the acceptor's thread, which ends before it is looked at
  Start(Reserve::kWhole,
        [&told](const std::string& message, const std::string& remedy) { told += message + "; " + remedy + "\n"; });
  Peer one(path_);
  Peer two(path_);
  descriptors.TakeAllBut(kReserved);
  ExpectTurnedAway(one, two);
  EXPECT_EQ(Count(Log(), "turned away"), 0u);
  EXPECT_EQ(Count(told, path_ + ": connections are turned away: of the 64 files"), 1u) << told;
  EXPECT_EQ(Count(told, "; raise the limit of open files"), 1u) << told;
}

TEST_F(AcceptorTest, TheLastOfThemAreForAdministrators) {
  FewDescriptors descriptors;
  Start(Reserve::kHalf);
  Peer one(path_);
  descriptors.TakeAllBut(kReserved);
  one.Connect();
  EXPECT_TRUE(WaitTaken(1));
  EXPECT_EQ(Log(), "");
}

TEST_F(AcceptorTest, WhoCannotBeAcceptedWaits) {
  FewDescriptors descriptors;
  Start();
  Peer one(path_);
  Peer two(path_);
  descriptors.TakeAllBut(0);
  one.Connect();
  two.Connect();
  EXPECT_FALSE(WaitTaken(1, std::chrono::milliseconds(100)));
  EXPECT_FALSE(one.IsClosed(std::chrono::milliseconds(0)));
  descriptors.Free();
  EXPECT_TRUE(WaitTaken(2));
  const std::string log = Log();
  EXPECT_EQ(Count(log, "turned away: none can be accepted: Too many open files; raise the limit"), 1u) << log;
}

TEST_F(AcceptorTest, EndsWhileNobodyCanBeAccepted) {
  FewDescriptors descriptors;
  Start();
  Peer one(path_);
  descriptors.TakeAllBut(0);
  one.Connect();
  EXPECT_FALSE(one.IsClosed(std::chrono::milliseconds(50)));
  acceptor_.reset();
  EXPECT_TRUE(one.IsClosed(kPatience));
}

}  // namespace
}  // namespace zrs::transport
