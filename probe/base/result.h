// Result<T>: a value or an Error. The one place that names the library behind it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "probe/base/error.h"

namespace slosonde {

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string text) {
  return tl::unexpected<Error>(Error{code, std::move(text)});
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace slosonde
