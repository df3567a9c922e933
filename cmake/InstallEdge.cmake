# `cmake --install BUILD --prefix P` of the edge runtime alone: P/lib/libperennial_edge.{a,so} and its two headers.
install(TARGETS perennial_edge_static perennial_edge_shared ARCHIVE DESTINATION lib LIBRARY DESTINATION lib)
install(FILES "${PROJECT_SOURCE_DIR}/edge/perennial_edge.h" DESTINATION include)
install(FILES "${PROJECT_SOURCE_DIR}/edge/perennial_edge.hpp" DESTINATION include/edge)
install(FILES "${PROJECT_SOURCE_DIR}/edge/perennial_edge.h" DESTINATION include/edge)
