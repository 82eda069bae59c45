#include "sidecar/transport/grpc_library.h"

#include <sys/prctl.h>

#include "grpc/grpc.h"

namespace zrs::transport {
namespace {

constexpr unsigned long kMostLateNanoseconds = 1'000'000'000;

// A thread has the slack of the one that starts it: here, for those that gRPC's library starts as it comes up.
bool InitializeWithSlack() {
  const int before = prctl(PR_GET_TIMERSLACK);
  (void)prctl(PR_SET_TIMERSLACK, kMostLateNanoseconds);
  grpc_init();
  (void)prctl(PR_SET_TIMERSLACK, before > 0 ? static_cast<unsigned long>(before) : 0UL);
  return true;
}

}  // namespace

void BringUpGrpc() { [[maybe_unused]] static const bool up = InitializeWithSlack(); }

}  // namespace zrs::transport
