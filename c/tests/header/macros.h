/* What the shared library exports. Define LIGHTNING_DB_STATIC when you link the static one on Windows. */
#if defined(_WIN32) && !defined(LIGHTNING_DB_STATIC)
#define LIGHTNING_DB_API __declspec(dllimport)
#elif defined(__GNUC__)
#define LIGHTNING_DB_API __attribute__((visibility("default")))
#else
#define LIGHTNING_DB_API
#endif

/* The compiler warns if the status of such a call is not looked at. */
#if defined(__GNUC__)
#define LIGHTNING_DB_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LIGHTNING_DB_MUST_CHECK
#endif

/** Initial value of lightning_db_scan_options_t: all entries in rising order. */
#ifdef __cplusplus
#define LIGHTNING_DB_SCAN_OPTIONS \
  { sizeof(lightning_db_scan_options_t), LIGHTNING_DB_NO_LIMIT, {}, {}, {}, {}, {}, false }
#else
#define LIGHTNING_DB_SCAN_OPTIONS \
  { sizeof(lightning_db_scan_options_t), LIGHTNING_DB_NO_LIMIT, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, false }
#endif


/** Initial value of lightning_db_finding_t. */
#ifdef __cplusplus
#define LIGHTNING_DB_FINDING \
  { sizeof(lightning_db_finding_t), nullptr, 0, nullptr, nullptr, {}, {}, 0 }
#else
#define LIGHTNING_DB_FINDING \
  { sizeof(lightning_db_finding_t), 0, 0, 0, 0, {0, 0}, {0, 0}, 0 }
#endif
