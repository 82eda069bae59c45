// Visits a variant by a list of lambdas.
#ifndef ZRS_SIDECAR_STORAGE_OVERLOADED_H_
#define ZRS_SIDECAR_STORAGE_OVERLOADED_H_

namespace zrs::storage {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_OVERLOADED_H_
