/* First byte of the image: 64-bit mode, identity mapped, interrupts never enabled, every access private where memory is
   encrypted.

   Under SEV-SNP only what was measured is the guest's: the image, the secret page, the secrets page. Whatever lies
   behind the image is asked of the host and validated here, before the first access to it: there is no stack yet. Under
   SEV and SEV-ES RAM is whatever DRAM decrypts to. In each case .bss is zeroed before anything is called. */

#define CPUID_MEMORY_ENCRYPTION 0x8000001F
#define SNP_ACTIVE (1 << 4)
#define PORT_COM1 0x3F8
#define PORT_STATE_FIRST 0x534
#define PORT_STATE_COUNT 0x538
#define PORT_STATE_CHANGE 0x53C
#define PORT_POWER_OFF 0x600
#define PAGE_BYTES 4096

    .section .start, "ax", @progbits
    .globl _start
_start:
    cld
    /* Asked until two answers agree, for the reason that paging.c gives; the jump lets a stop that waits happen. */
    movl $CPUID_MEMORY_ENCRYPTION, %eax
    xorl %ecx, %ecx
    cpuid
    movl %eax, %r8d
    movl %ebx, %r9d
    jmp 1f
1:  movl $CPUID_MEMORY_ENCRYPTION, %eax
    xorl %ecx, %ecx
    cpuid
    cmpl %eax, %r8d
    jne _start
    cmpl %ebx, %r9d
    jne _start
    testl $SNP_ACTIVE, %eax
    jz clear

    /* The page state change: RMPUPDATE by the host. */
    movl $bss_first_page, %eax
    movl $PORT_STATE_FIRST, %edx
    outl %eax, %dx
    movl $bss_page_count, %eax
    movl $PORT_STATE_COUNT, %edx
    outl %eax, %dx
    movl $1, %eax
    movl $PORT_STATE_CHANGE, %edx
    outl %eax, %dx
    inl %dx, %eax
    testl %eax, %eax
    jnz refused
    /* PVALIDATE, page by page: the carry flag says that a page was valid before, and so has been swapped. */
    movq $bss_start, %rsi
2:  movq %rsi, %rax
    xorl %ecx, %ecx
    movl $1, %edx
    .byte 0xF2, 0x0F, 0x01, 0xFF /* pvalidate: RAX address, ECX 0 = 4 KiB, EDX 1 = validate; EAX 0 = done */
    jc refused
    testl %eax, %eax
    jnz refused
    addq $PAGE_BYTES, %rsi
    cmpq $heap_start, %rsi
    jb 2b

clear:
    movq $bss_end, %rcx
    movq $bss_start, %rdi
    subq %rdi, %rcx
    shrq $3, %rcx
    xorl %eax, %eax
    rep stosq
    movq $stack_top, %rsp
    call guest_main
stopped:
    hlt
    jmp stopped

refused:
    movq $complaint, %rsi
    movl $PORT_COM1, %edx
3:  lodsb
    testb %al, %al
    jz 4f
    outb %al, %dx
    jmp 3b
4:  movl $1, %eax
    movl $PORT_POWER_OFF, %edx
    outl %eax, %dx
    jmp stopped

    .section .rodata.entry, "a", @progbits
complaint:
    .asciz "sev-snp: the host does not give the guest its memory, powering off\r\n"

    .section .bss.unzeroed, "aw", @nobits
    .balign 16
    .skip STACK_BYTES
stack_top:

    .section .note.GNU-stack, "", @progbits
