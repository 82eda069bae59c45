#include "sidecar/transport/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/sidecar/transport/loopback.h"

namespace zrs::transport {
namespace {

// A socket that is bound to `path` and, if wanted, listened on; its file stays when it is closed.
class UnixListener {
 public:
  UnixListener(const std::string& path, bool listening) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_TRUE(!listening || listen(fd_, 1) == 0);
  }
  ~UnixListener() { close(fd_); }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

 private:
  const int fd_;
};

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

void ExpectUnavailable(const absl::Status& status, const std::string& address, const std::string& why) {
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(status.message().find(address), std::string::npos) << status;
  EXPECT_NE(status.message().find(why), std::string::npos) << status;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// 0 where somebody listens.
int ConnectToLoopback(int port) {
  const Descriptor fd(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = Loopback(port);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

class ListenSocketTest : public ::testing::Test {
 protected:
  SocketDirectory directory_;
  const std::string path_ = directory_.Path("zrs.sock");
};

TEST_F(ListenSocketTest, NothingThere) {
  {
    const auto sockets = Listen(path_);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_EQ(sockets->sockets.size(), 1u);
    EXPECT_EQ(sockets->port, 0);
    EXPECT_TRUE(Exists(path_));
  }
  EXPECT_FALSE(Exists(path_));
}

TEST_F(ListenSocketTest, ASocketThatNobodyListensOnIsRemoved) {
  { const UnixListener killed(path_, true); }
  ASSERT_TRUE(Exists(path_));
  EXPECT_TRUE(Listen(path_).ok());
}

TEST_F(ListenSocketTest, ASocketThatSomebodyListensOnIsInUse) {
  const UnixListener other(path_, true);
  ExpectUnavailable(Listen(path_).status(), path_, "in use");
  EXPECT_TRUE(Exists(path_));
}

TEST_F(ListenSocketTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "Data.fs, perhaps";
  ExpectUnavailable(Listen(path_).status(), path_, "no socket");
  EXPECT_TRUE(Exists(path_));
}

TEST_F(ListenSocketTest, ALinkIsLeftAlone) {
  ASSERT_EQ(symlink("/nonexistent", path_.c_str()), 0);
  ExpectUnavailable(Listen(path_).status(), path_, "no socket");
  EXPECT_TRUE(Exists(path_));
}

TEST_F(ListenSocketTest, NoSuchDirectory) {
  ExpectUnavailable(Listen(directory_.Path("no/zrs.sock")).status(), "no/zrs.sock", "No such file");
}

TEST_F(ListenSocketTest, FreePort) {
  const auto sockets = Listen("127.0.0.1:0");
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_GT(sockets->port, 0);
  EXPECT_EQ(sockets->file, nullptr);
  const std::string text = absl::StrCat("127.0.0.1:", sockets->port);
  ExpectUnavailable(Listen(text).status(), text, "in use");
}

TEST_F(ListenSocketTest, AllInterfacesAreOneSocketForBothFamilies) {
  for (const char* address : {"0", ":0", "0.0.0.0:0", "[::]:0"}) {
    const auto sockets = Listen(address);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_EQ(sockets->sockets.size(), 1u) << address;
    EXPECT_EQ(ConnectToLoopback(sockets->port), 0) << address;
  }
}

TEST_F(ListenSocketTest, AllAddressesOfAHost) {
  const auto sockets = Listen("localhost:0");
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_EQ(ConnectToLoopback(sockets->port), 0);
}

TEST_F(ListenSocketTest, PortInUse) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string text = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  ExpectUnavailable(Listen(text).status(), text, "in use");
  close(fd);
  EXPECT_TRUE(Listen(text).ok());
}

TEST_F(ListenSocketTest, AnAddressOfAnotherHost) {
  ExpectUnavailable(Listen("203.0.113.7:0").status(), "203.0.113.7:0", "no such address");
}

TEST_F(ListenSocketTest, NoAddressAtAll) { EXPECT_TRUE(absl::IsInvalidArgument(Listen("nonsense").status())); }

TEST_F(ListenSocketTest, TheFileIsRemovedInTheEnd) {
  const UnixListener listener(path_, true);
  { const SocketFile file(path_); }
  EXPECT_FALSE(Exists(path_));
}

TEST_F(ListenSocketTest, TheFileOfASuccessorIsLeft) {
  const UnixListener listener(path_, true);
  {
    const SocketFile file(path_);
    ASSERT_EQ(rename(path_.c_str(), directory_.Path("old").c_str()), 0);
    const UnixListener successor(path_, true);
  }
  EXPECT_TRUE(Exists(path_));
}

}  // namespace
}  // namespace zrs::transport
