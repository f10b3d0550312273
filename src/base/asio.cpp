// Boost.Asio's own code, compiled once: BOOST_ASIO_SEPARATE_COMPILATION is set for everything that includes it.
#include <boost/asio/impl/src.hpp>
