// What to do about what can be the matter with a primary's file: for status and log. Pure functions; any thread.
#ifndef ZRS_SIDECAR_STORAGE_PRIMARY_REMEDIES_H_
#define ZRS_SIDECAR_STORAGE_PRIMARY_REMEDIES_H_

#include <string>

#include "absl/status/status.h"
#include "sidecar/storage/options.h"

namespace zrs::storage {

// For followers, where nothing is the matter.
inline constexpr char kComesBackRemedy[] = "none needed: the follower comes back at once";

// Whether an error of opening the file, or of writing the state, may go away by itself, so that it is tried again: no
// file, no permission, no room, too few descriptors.
bool Heals(const absl::Status& status);

// For an error that heals.
std::string RemedyOfWaiting(const absl::Status& status);
// For an error of opening that does not.
std::string RemedyOfOpening(const absl::Status& error);
// For one that is superseded.
std::string SupersededRemedy(const StorageOptions& options);
// For a file that is no pack of the one before.
std::string DivergedRemedy(const StorageOptions& options);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PRIMARY_REMEDIES_H_
