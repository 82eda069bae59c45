// The identity that a database gets when a primary sees it for the first time.
#ifndef ZRS_SIDECAR_STORAGE_IDENTITY_H_
#define ZRS_SIDECAR_STORAGE_IDENTITY_H_

#include <string>

#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/runtime/runtime.h"

namespace zrs::storage {

// 16 random bytes.
std::string RandomId(runtime::Runtime& runtime);

// A new database id with its first epoch, generation 1.
v1::Lineage NewLineage(runtime::Runtime& runtime);

// Database id and current epoch, as status tells them; nothing for an empty lineage.
void FillIdentity(const v1::Lineage& lineage, v1::StorageStatus& status);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_IDENTITY_H_
