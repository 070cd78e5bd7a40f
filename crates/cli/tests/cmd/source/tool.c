__declspec(dllimport) void __stdcall ExitProcess(unsigned);
__declspec(dllimport) int __stdcall Sample(void);
void start(void) { ExitProcess(Sample()); }
