#include "sidecar/transport/listen_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/address/address.h"

namespace zrs::transport {
namespace {

using address::Address;
using address::IsEveryInterface;
using address::ParseAddress;

// As gRPC has it for keepalive's sake: a peer that does not acknowledge for so long is gone.
constexpr int kUserTimeoutMs = 10'000;

absl::Status CannotListen(absl::string_view address, absl::string_view cause) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", cause));
}

std::string Cause(int error) {
  if (error == EADDRINUSE) return "the address is in use by another process";
  if (error == EADDRNOTAVAIL) return "this host has no such address";
  if (error == EACCES) return "permission denied";
  return std::strerror(error);
}

// Accepted connections have what is set here from it.
void SetTcpOptions(int fd) {
  const int on = 1;
  // Past connections of a server that was here before do not count. (Without SO_REUSEPORT: two servers on one port
  // would share out the followers between them.)
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof(kUserTimeoutMs));
}

// 0, and `sockets` has one more; or why not. With port 0 all sockets have the port that the first one got.
int TryListen(const addrinfo& candidate, bool every_interface, ListenSockets& sockets) {
  Descriptor fd(socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return errno;
  SetTcpOptions(fd.get());
  if (candidate.ai_family == AF_INET6) {
    const int only = every_interface ? 0 : 1;
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  }
  sockaddr_storage address{};
  std::memcpy(&address, candidate.ai_addr, candidate.ai_addrlen);
  // At the same place in both families.
  auto* const port = &reinterpret_cast<sockaddr_in*>(&address)->sin_port;
  if (*port == 0) *port = htons(static_cast<uint16_t>(sockets.port));
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, candidate.ai_addrlen) != 0 || listen(fd.get(), SOMAXCONN) != 0) return errno;
  socklen_t length = sizeof(address);
  if (getsockname(fd.get(), generic, &length) != 0) return errno;
  sockets.port = ntohs(*port);
  sockets.sockets.push_back(std::move(fd));
  return 0;
}

using Candidates = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::StatusOr<Candidates> Resolve(const Address& wanted, int family, const std::string& address) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(IsEveryInterface(wanted) ? nullptr : wanted.host.c_str(),
                                std::to_string(wanted.port).c_str(), &hints, &found);
  if (error != 0) return CannotListen(address, absl::StrCat("the host is not known: ", gai_strerror(error)));
  return Candidates(found, &freeaddrinfo);
}

// A name may stand for one address twice (/etc/hosts), and the second could not be bound.
bool IsRepeated(const addrinfo* first, const addrinfo* candidate) {
  for (const addrinfo* each = first; each != candidate; each = each->ai_next) {
    if (each->ai_addrlen == candidate->ai_addrlen &&
        std::memcmp(each->ai_addr, candidate->ai_addr, each->ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

// In use on one of a host's addresses is in use. Anything else on one of them is forgiven (a host without IPv6).
absl::StatusOr<ListenSockets> ListenOnHost(const Address& wanted, const std::string& address) {
  const bool every_interface = IsEveryInterface(wanted);
  ListenSockets sockets;
  int other_error = EADDRNOTAVAIL;
  // A socket of IPv6 on all interfaces is one for IPv4 too.
  for (const int family : every_interface ? std::vector<int>{AF_INET6, AF_INET} : std::vector<int>{AF_UNSPEC}) {
    const absl::StatusOr<Candidates> found = Resolve(wanted, family, address);
    if (!found.ok()) {
      if (family == AF_INET6) continue;
      return found.status();
    }
    for (const addrinfo* candidate = found->get(); candidate != nullptr; candidate = candidate->ai_next) {
      if (IsRepeated(found->get(), candidate)) continue;
      const int error = TryListen(*candidate, every_interface, sockets);
      if (error == EADDRINUSE) return CannotListen(address, Cause(error));
      if (error != 0) other_error = error;
    }
    if (!sockets.sockets.empty()) return sockets;
  }
  return CannotListen(address, Cause(other_error));
}

sockaddr_un SocketAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// 0 when somebody answers at the socket.
int TryConnect(const std::string& path) {
  const Descriptor socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_fd.get() < 0) return errno;
  const sockaddr_un address = SocketAddress(path);
  const int result = connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // A full queue of connections is somebody's too.
  return result == 0 || errno == EAGAIN ? 0 : errno;
}

absl::Status CheckDirectory(const std::string& path, const std::string& address) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  if (access(directory.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return CannotListen(address, absl::StrCat("directory ", directory, ": ", Cause(errno)));
}

absl::Status CheckSocketFile(const std::string& path, const std::string& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return CheckDirectory(path, address);
    return CannotListen(address, Cause(errno));
  }
  if (!S_ISSOCK(info.st_mode)) return CannotListen(address, "there is a file that is no socket; move it away");
  const int error = TryConnect(path);
  if (error == 0) return CannotListen(address, Cause(EADDRINUSE));
  if (error != ECONNREFUSED) return CannotListen(address, Cause(error));
  // Left behind by a process that was killed.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return CannotListen(address, absl::StrCat("a socket that nobody listens on cannot be removed: ", Cause(errno)));
  }
  return CheckDirectory(path, address);
}

absl::StatusOr<ListenSockets> ListenOnSocket(const std::string& path, const std::string& address) {
  if (absl::Status free = CheckSocketFile(path, address); !free.ok()) return free;
  Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return CannotListen(address, Cause(errno));
  const sockaddr_un name = SocketAddress(path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return CannotListen(address, Cause(errno));
  }
  ListenSockets sockets;
  sockets.sockets.push_back(std::move(fd));
  sockets.file = std::make_unique<SocketFile>(path);
  return sockets;
}

}  // namespace

absl::StatusOr<ListenSockets> Listen(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*least_port=*/0);
  if (!parsed.ok()) return parsed.status();
  return parsed->is_unix() ? ListenOnSocket(parsed->path, address) : ListenOnHost(*parsed, address);
}

SocketFile::SocketFile(const std::string& path) : path_(path), identity_(Identify(path)) {}

SocketFile::~SocketFile() {
  const std::optional<Identity> present = identity_ ? Identify(path_) : std::nullopt;
  if (present && present->device == identity_->device && present->inode == identity_->inode) unlink(path_.c_str());
}

std::optional<SocketFile::Identity> SocketFile::Identify(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

}  // namespace zrs::transport
