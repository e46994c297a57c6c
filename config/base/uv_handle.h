#pragma once

#include <memory>

#include <uv.h>

namespace sluice::base {

// libuv uses a handle's memory until its close callback has run, which is later than the owner's
// destructor: the callback, not the owner, frees it. The loop must run once more after the owner
// is gone. A callback finds its owner in handle->data; the owner clears nothing, it must only
// outlive the callbacks, and uv_close() ends those at once.
struct UvClose {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

// Owner of an initialised handle. Make the memory with `new Handle`, initialise it (uv_timer_init
// and so on), and only then hand it over: uv_close() of an uninitialised handle is undefined.
template <class Handle>
using UvHandle = std::unique_ptr<Handle, UvClose>;

}  // namespace sluice::base
