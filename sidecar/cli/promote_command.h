// zrs promote, zrs demote, zrs adopt.
#ifndef ZRS_SIDECAR_CLI_PROMOTE_COMMAND_H_
#define ZRS_SIDECAR_CLI_PROMOTE_COMMAND_H_

#include <string>

#include "proto/zrs/v1/admin.pb.h"

namespace zrs::cli {

struct PromoteOptions {
  std::string storage;             // empty: all secondaries, or the only storage there is
  bool all = false;                // said in words; needed where there are several
  bool wait_for_upstream = false;  // at most one of this and `force`
  bool force = false;
};

// Prints what became a primary, or why it did not. 0 when all that were named are primaries now; 1 when one is not, or
// zrs could not be asked; 2 for an unknown storage, where it is not said which, and for a wrong configuration.
int PromoteCommand(const std::string& config, const PromoteOptions& options);

// `storage`: empty for the only one there is. 0 when it is no primary any more; 1 when zrs could not be asked, or did
// not do it; 2 for an unknown storage, where it is not said which, and for a wrong configuration.
int DemoteCommand(const std::string& config, const std::string& storage);

// The same, of a primary: 0 when it is as was said; prints what was done.
int AdoptCommand(const std::string& config, const std::string& storage, v1::AdoptRequest::As as);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_PROMOTE_COMMAND_H_
