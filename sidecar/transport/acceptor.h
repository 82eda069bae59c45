// Accepts connections in gRPC's place: gRPC 1.51 gives up a listening socket for good at the first error of an accept,
// and where no descriptor is left that is what it gets.
#ifndef ZRS_SIDECAR_TRANSPORT_ACCEPTOR_H_
#define ZRS_SIDECAR_TRANSPORT_ACCEPTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "sidecar/transport/descriptor.h"

namespace zrs::transport {

// Some of the descriptors that the process may have are not for connections: it has files to open whoever connects, and
// gRPC ends it where it finds none for its own needs.
enum class Reserve {
  kWhole,  // is left to the process
  kHalf,   // for whom it should answer also when others have taken all that is not reserved
};

struct AcceptorOptions {
  std::string address;  // for messages
  Reserve reserve = Reserve::kWhole;
  absl::Duration retry = absl::Milliseconds(100);  // from a failed accept to the next
  absl::Duration quiet = absl::Seconds(10);        // without one turned away, until it is said that it is over
  // Told in the log's stead, on the acceptor's thread, now and then while connections are turned away.
  std::function<void(const std::string& message, const std::string& remedy)> on_turned_away = nullptr;
};

// Connections that would take what is reserved are closed at once. Where none can be accepted they wait, until one can
// be. Either is said, with what to do, and in the log once when it is over. A thread of its own, which sleeps for
// as long as nobody connects.
class Acceptor {
 public:
  // `take` is called with each connection, which does not block, on the acceptor's thread; it closes it. It is not to
  // block. Throws std::system_error, as std::thread does, where there is no descriptor or no thread to be had.
  Acceptor(AcceptorOptions options, std::vector<Descriptor> sockets, std::function<void(int fd)> take);
  // Accepts no more, and closes the sockets; connections that wait in their queues are closed.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  bool AcceptOne(int socket);
  bool HasRoom(int fd) const;
  void TurnedAway(const std::string& why, const std::string& remedy);
  void SayWhenOver();

  const AcceptorOptions options_;
  const std::vector<Descriptor> sockets_;
  const std::function<void(int fd)> take_;
  const Descriptor stop_;  // an eventfd
  // Of the thread.
  uint64_t turned_away_ = 0;  // since it was said; 0: all is well
  Clock::time_point last_turned_away_;
  Clock::time_point last_told_;
  std::thread thread_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_ACCEPTOR_H_
